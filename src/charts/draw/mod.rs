//! Drawing: from numbers and texts to SVG, without knowing where they come from.

pub mod bars;
pub mod canvas;
pub mod classes;
pub mod frame;
pub mod heat;
pub mod lines;
pub mod map;
pub mod numbers;
pub mod pyramid;
pub mod theme;

//! What may stand in a cell of an answer.

/// The status of a cell of an answer: what a release says of it ([`crate::register::Status`]), or that no release says anything. Only [`CellStatus::Published`] has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellStatus {
    /// The number is published.
    Published,
    /// The number is kept back to protect people. Primary and secondary suppression look the same.
    Suppressed,
    /// The combination cannot exist: it is a structural zero, or the category did not exist in that period.
    Impossible,
    /// The number is not available: that period's release has no such table, or not in this detail.
    Unavailable,
}

impl CellStatus {
    /// The letter that marks the status in data formats; published cells have none.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Self::Published => None,
            Self::Suppressed => Some("c"),
            Self::Impossible => Some("z"),
            Self::Unavailable => Some("x"),
        }
    }
}

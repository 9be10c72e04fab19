//! What may be said of a cell.

/// Status of one cell of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The count is published.
    Published,
    /// The count is withheld, to protect people.
    Suppressed,
    /// The combination cannot occur.
    Impossible,
}

impl Status {
    /// The mark in files and answers; a published cell has none.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Self::Published => None,
            Self::Suppressed => Some("c"),
            Self::Impossible => Some("z"),
        }
    }
}

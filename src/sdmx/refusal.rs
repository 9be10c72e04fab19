//! Why a query is not answered, in the terms of the standard.

use crate::{
    tables::{Fault, RequestError},
    words::{self, Message},
};

/// What kind of problem a query has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It is sound, but nothing fits it.
    NoResults,
    /// It asks for what the reader may not see.
    OutOfScope,
    /// It breaks the rules of the interface.
    Syntax,
    /// It means more cells than one answer may have.
    TooLarge,
    /// It asks for a form that is not written.
    NotAcceptable,
    /// It asks for a part of the standard that is not offered.
    NotImplemented,
}

/// A query that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// What kind of problem it is.
    pub kind: RefusalKind,
    /// What was asked for, what there is, and how to ask.
    pub detail: Message,
}

impl Refusal {
    pub(super) fn new(kind: RefusalKind, detail: impl Into<Message>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn no_results(detail: Message) -> Self {
        Self::new(RefusalKind::NoResults, detail)
    }

    pub(super) fn syntax(detail: Message) -> Self {
        Self::new(RefusalKind::Syntax, detail)
    }

    /// A parameter whose value is none of those that it may have.
    pub(super) fn choice(name: &str, value: &str, choices: &[&str]) -> Self {
        Self::syntax(words::NO_CHOICE.with(name).and(short(value)).and(choices.join(", ")))
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        let kind = match error.fault {
            Fault::NoTable | Fault::NoValue | Fault::NoPage => RefusalKind::NoResults,
            Fault::OutOfScope => RefusalKind::OutOfScope,
            Fault::TooMany => RefusalKind::TooLarge,
            _ => RefusalKind::Syntax,
        };
        Self { kind, detail: error.detail }
    }
}

/// At most the first 60 characters of what a client wrote, to be repeated in a message.
pub fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

//! CSV: one line a cell, one column a variable, then the number and its status.
//!
//! ```text
//! Region,Sex,ContentsCode,Tid,value,status
//! 3171,F,persons,2024-S1,1203,
//! 3172,F,persons,2024-S1,,c
//! ```

use std::sync::Arc;

use super::{Context, Document, PIECE, push_number};
use crate::{
    tables::Answer,
    words::{self, Message, Tongue},
};

/// How categories are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Texts {
    /// Codes.
    #[default]
    Codes,
    /// Names.
    Names,
    /// A column of codes and, behind it, one of names.
    Both,
}

/// What stands between fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
    /// A space.
    Space,
}

/// The names of the options.
const OPTIONS: &str = "UseCodes, UseTexts, UseCodesAndTexts, IncludeTitle, SeparatorTab, SeparatorSpace, SeparatorSemicolon";

/// Options of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CsvOptions {
    /// How categories are written.
    pub texts: Texts,
    /// What stands between fields.
    pub separator: Separator,
    /// Whether the table's title stands in a line of its own before the heading.
    pub title: bool,
}

impl CsvOptions {
    /// Reads the options by name, in any case; the last of two that contradict each other counts.
    pub(super) fn parse(options: &[String]) -> Result<Self, Message> {
        let mut chosen = Self::default();
        for option in options {
            match option.to_ascii_lowercase().as_str() {
                "usecodes" => chosen.texts = Texts::Codes,
                "usetexts" => chosen.texts = Texts::Names,
                "usecodesandtexts" => chosen.texts = Texts::Both,
                "includetitle" => chosen.title = true,
                "separatortab" => chosen.separator = Separator::Tab,
                "separatorspace" => chosen.separator = Separator::Space,
                "separatorsemicolon" => chosen.separator = Separator::Semicolon,
                _ => {
                    let option: String = option.chars().take(40).collect();
                    return Err(words::NO_FORMAT_OPTION.with("csv").and(option).and(OPTIONS));
                }
            }
        }
        Ok(chosen)
    }
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Space => b' ',
        }
    }
}

/// An answer being written as CSV.
pub struct Csv {
    answer: Arc<Answer>,
    separator: u8,
    /// Title and heading, until they are written.
    head: Option<Vec<u8>>,
    /// For each variable its categories as fields, each with its separator behind.
    fields: Vec<Vec<Vec<u8>>>,
    /// Which category of each variable comes next.
    at: Vec<usize>,
    cell: usize,
}

impl Csv {
    pub fn new(context: &Context, answer: Arc<Answer>, options: CsvOptions) -> Self {
        let library = &context.library;
        let entry = &library.tables[answer.query.table];
        let separator = options.separator.byte();
        let (codes, names) = (options.texts != Texts::Names, options.texts != Texts::Codes);
        let mut head = Vec::new();
        if options.title {
            push_field(&mut head, entry.table.label.text(context.language), separator);
            head.push(b'\n');
        }
        let mut fields = Vec::new();
        for variable in answer.query.variables() {
            let code = library.variable_code(entry, variable);
            let label = library.variable_label(entry, variable, context.language);
            match options.texts {
                Texts::Codes => push_field(&mut head, code, separator),
                Texts::Names => push_field(&mut head, label, separator),
                Texts::Both => {
                    push_field(&mut head, code, separator);
                    head.push(separator);
                    push_field(&mut head, &format!("{code}_label"), separator);
                }
            }
            head.push(separator);
            let categories = library.categories(&answer.query, variable, context.language);
            let field = |category: &crate::tables::Category<'_>| {
                let mut field = Vec::with_capacity(16);
                for (wanted, text) in [(codes, category.code), (names, category.label)] {
                    if wanted {
                        push_field(&mut field, text, separator);
                        field.push(separator);
                    }
                }
                field
            };
            fields.push(categories.iter().map(field).collect());
        }
        // Programs read codes, and look for the same two headings in every language; people read names.
        let tongue = if codes { Tongue::English } else { library.tongue(context.language) };
        push_field(&mut head, words::VALUE.text(tongue), separator);
        head.push(separator);
        push_field(&mut head, words::STATUS.text(tongue), separator);
        head.push(b'\n');
        Self { separator, head: Some(head), at: vec![0; fields.len()], fields, cell: 0, answer }
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        for (field, at) in self.fields.iter().zip(&self.at) {
            out.extend_from_slice(&field[*at]);
        }
        match self.answer.statuses[self.cell].mark() {
            None => {
                push_number(out, self.answer.values[self.cell], self.answer.decimals(self.cell));
                out.push(self.separator);
            }
            Some(mark) => {
                out.push(self.separator);
                out.extend_from_slice(mark.as_bytes());
            }
        }
        out.push(b'\n');
        self.cell += 1;
        for (field, at) in self.fields.iter().zip(&mut self.at).rev() {
            *at += 1;
            if *at < field.len() {
                break;
            }
            *at = 0;
        }
    }
}

impl Document for Csv {
    fn fill(&mut self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        if let Some(head) = self.head.take() {
            out.extend_from_slice(&head);
        }
        while self.cell < self.answer.statuses.len() {
            if out.len() - start >= PIECE {
                return true;
            }
            self.line(out);
        }
        false
    }
}

/// Appends a field, in quotation marks if it needs them.
pub(super) fn push_field(out: &mut Vec<u8>, text: &str, separator: u8) {
    let odd = |byte: u8| byte == separator || matches!(byte, b'"' | b'\n' | b'\r');
    if text.bytes().any(odd) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

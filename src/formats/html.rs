//! One table on one page, for people and their screen readers.

use std::{io::Write as _, sync::Arc};

use super::{
    Context, Document, PIECE,
    about::{About, MARKED, marked},
    layout::{Layout, Line, Odometer, lines, width},
    numbers::push_grouped,
    options::Options,
};
use crate::{error::Result, tables::Answer, words};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem}table{border-collapse:collapse}\
    caption{font-weight:bold;text-align:left;padding:.3rem 0}th,td{border:1px solid #bbb;padding:.2rem .5rem;vertical-align:top}\
    th{text-align:left;background:#f3f3f3}td{text-align:right;font-variant-numeric:tabular-nums}";

/// An answer being written as a page.
pub struct Html {
    context: Context,
    answer: Arc<Answer>,
    layout: Layout,
    /// Columns before the numbers.
    stub: Vec<Line>,
    /// Rows above the numbers.
    heading: Vec<Line>,
    columns: usize,
    row: Odometer,
    /// What stands in the place of a number, by position in [`MARKED`].
    marks: [Vec<u8>; 3],
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Head,
    /// A line of the heading, from this place on.
    Heading(usize, usize),
    /// Numbers from this cell on.
    Body(usize),
}

impl Html {
    pub fn new(context: Context, answer: Arc<Answer>, options: Options) -> Self {
        let layout = Layout::new(&context, &answer.query);
        let about = About::new(&context, &answer.query);
        let marks = MARKED.map(|status| {
            let (mark, meaning) = about.mark(status).unwrap_or_default();
            format!("<td title=\"{}\">{mark}</td>", escaped(meaning)).into_bytes()
        });
        Self {
            stub: lines(&layout.stub, options.texts),
            heading: lines(&layout.heading, options.texts),
            columns: layout.columns().max(1),
            row: Odometer::over(&layout.stub),
            marks,
            stage: Stage::Head,
            layout,
            context,
            answer,
        }
    }

    fn head(&self, out: &mut Vec<u8>) {
        let about = About::new(&self.context, &self.answer.query);
        let title = escaped(about.title());
        // Writing to a vector cannot fail.
        let _ = write!(
            out,
            "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n<table>\n<caption>{title}</caption>\n<thead>\n<tr>",
            escaped(about.language()),
        );
        let rows = self.heading.len().max(1);
        for line in &self.stub {
            let name = escaped(line.name(&self.layout.stub));
            let _ = match rows {
                1 => write!(out, "<th scope=\"col\">{name}</th>"),
                _ => write!(out, "<th scope=\"col\" rowspan=\"{rows}\">{name}</th>"),
            };
        }
        if self.heading.is_empty() {
            let _ = writeln!(out, "<th scope=\"col\">{}</th></tr>", words::VALUE.text(about.tongue()));
        }
    }

    /// A head of one column, or of the columns that share a category.
    fn column_head(&self, line: Line, place: usize, out: &mut Vec<u8>) {
        let heading = &self.layout.heading;
        let text = escaped(line.text(heading, place % heading[line.side].len()));
        let _ = match width(&heading[line.side + 1..]) {
            1 => write!(out, "<th scope=\"col\">{text}</th>"),
            span => write!(out, "<th scope=\"colgroup\" colspan=\"{span}\">{text}</th>"),
        };
    }

    fn cell(&mut self, cell: usize, signs: (u8, u8), out: &mut Vec<u8>) {
        if cell.is_multiple_of(self.columns) {
            out.extend_from_slice(b"<tr>");
            for line in &self.stub {
                let text = escaped(line.text(&self.layout.stub, self.row.at()[line.side]));
                let _ = write!(out, "<th scope=\"row\">{text}</th>");
            }
            self.row.step();
        }
        match marked(self.answer.statuses[cell]) {
            Some(mark) => out.extend_from_slice(&self.marks[mark]),
            None => {
                out.extend_from_slice(b"<td>");
                push_grouped(out, self.answer.values[cell], self.answer.decimals(cell), signs);
                out.extend_from_slice(b"</td>");
            }
        }
        if (cell + 1).is_multiple_of(self.columns) {
            out.extend_from_slice(b"</tr>\n");
        }
    }

    fn foot(&self, out: &mut Vec<u8>) {
        let about = About::new(&self.context, &self.answer.query);
        let tongue = about.tongue();
        out.extend_from_slice(b"</tbody>\n</table>\n");
        let legend = about.legend(&self.answer);
        let warnings = about.warnings();
        if !legend.is_empty() || !warnings.is_empty() {
            let _ = write!(out, "<h2>{}</h2>\n<ul>\n", words::NOTES.text(tongue));
            for (mark, meaning) in legend {
                let _ = writeln!(out, "<li>{mark} {}</li>", escaped(meaning));
            }
            for warning in warnings {
                let _ = writeln!(out, "<li>{}</li>", escaped(&warning));
            }
            out.extend_from_slice(b"</ul>\n");
        }
        let _ = write!(out, "<h2>{}</h2>\n<dl>\n", words::ABOUT.text(tongue));
        for (name, text) in about.lines("html") {
            let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(&name), escaped(&text));
        }
        out.extend_from_slice(b"</dl>\n</html>\n");
    }
}

impl Document for Html {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let end = out.len() + PIECE;
        let signs = About::new(&self.context, &self.answer.query).tongue().signs();
        while out.len() < end {
            match self.stage {
                Stage::Head => {
                    self.head(out);
                    self.stage = Stage::Heading(0, 0);
                }
                Stage::Heading(at, place) => match self.heading.get(at) {
                    Some(&line) if place < width(&self.layout.heading[..=line.side]) => {
                        self.column_head(line, place, out);
                        self.stage = Stage::Heading(at, place + 1);
                    }
                    Some(_) => {
                        out.extend_from_slice(if at + 1 < self.heading.len() { b"</tr>\n<tr>" } else { b"</tr>\n" });
                        self.stage = Stage::Heading(at + 1, 0);
                    }
                    None => {
                        out.extend_from_slice(b"</thead>\n<tbody>\n");
                        self.stage = Stage::Body(0);
                    }
                },
                Stage::Body(cell) if cell < self.answer.statuses.len() => {
                    self.cell(cell, signs, out);
                    self.stage = Stage::Body(cell + 1);
                }
                Stage::Body(_) => {
                    self.foot(out);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<b title=\"&\">"), "&lt;b title=&quot;&amp;&quot;&gt;");
    }
}

//! Writing XML without a tree: what is text is escaped, what is opened is closed.

/// Writes XML into a buffer.
pub struct Xml<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Xml<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// The first line of a document.
    pub fn declaration(&mut self) -> &mut Self {
        self.out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self
    }

    /// The beginning of an element that [`Self::close`] ends.
    pub fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(name, attributes);
        self.out.push(b'>');
        self
    }

    pub fn close(&mut self, name: &str) -> &mut Self {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
        self
    }

    /// An element with others inside.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.open(name, attributes);
        fill(self);
        self.close(name)
    }

    /// An element with nothing inside.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(name, attributes);
        self.out.extend_from_slice(b"/>");
        self
    }

    /// An element with a text inside.
    pub fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> &mut Self {
        self.open(name, attributes);
        push_escaped(self.out, text);
        self.close(name)
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        for (name, value) in attributes {
            push_attribute(self.out, name, value);
        }
    }
}

/// Appends a space and an attribute.
pub fn push_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_escaped(out, value);
    out.push(b'"');
}

/// Appends text for content and attribute values alike. Characters that no XML may hold become U+FFFD.
fn push_escaped(out: &mut Vec<u8>, text: &str) {
    for char in text.chars() {
        match char {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            // As references they survive the normalisation of attributes and line ends.
            '\t' => out.extend_from_slice(b"&#9;"),
            '\n' => out.extend_from_slice(b"&#10;"),
            '\r' => out.extend_from_slice(b"&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.extend_from_slice("\u{fffd}".as_bytes()),
            _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_escaped() {
        let mut out = Vec::new();
        Xml::new(&mut out).declaration().element("a", &[("b", "x\"<&>\n\u{1}é")], |xml| {
            xml.empty("c", &[]).text("d", &[("e", "'")], "1 < 2 & \"3\" ]]>\t\u{ffff}");
        });
        let expect = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"x&quot;&lt;&amp;&gt;&#10;\u{fffd}é\"><c/><d e=\"'\">\
                      1 &lt; 2 &amp; &quot;3&quot; ]]&gt;&#9;\u{fffd}</d></a>";
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }
}

//! Writing JSON without a tree: commas come by themselves.

/// Writes JSON into a buffer.
pub struct Json<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Json<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    fn part(&mut self) {
        if let Some(last) = self.out.last()
            && !matches!(last, b'{' | b'[' | b':')
        {
            self.out.push(b',');
        }
    }

    /// A key; its value follows.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.part();
        push_string(self.out, key);
        self.out.push(b':');
        self
    }

    pub fn string(&mut self, text: &str) -> &mut Self {
        self.part();
        push_string(self.out, text);
        self
    }

    pub fn number(&mut self, number: u64) -> &mut Self {
        self.part();
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self
    }

    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.part();
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    pub fn object(&mut self, fill: impl FnOnce(&mut Json<'_>)) -> &mut Self {
        self.nested(b'{', b'}', fill)
    }

    pub fn array(&mut self, fill: impl FnOnce(&mut Json<'_>)) -> &mut Self {
        self.nested(b'[', b']', fill)
    }

    fn nested(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut Json<'_>)) -> &mut Self {
        self.part();
        self.out.push(open);
        fill(&mut Json { out: self.out });
        self.out.push(close);
        self
    }

    /// What is JSON already.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.part();
        self.out.extend_from_slice(json.as_bytes());
        self
    }

    /// A key with a text.
    pub fn text(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key).string(text)
    }

    /// A key with a list of texts.
    pub fn texts<'t>(&mut self, key: &str, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        self.key(key).array(|list| {
            for text in texts {
                list.string(text);
            }
        })
    }
}

/// Appends a JSON string with its quotation marks.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if text.as_bytes().iter().all(plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for char in text.chars() {
            match char {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\u{0}'..='\u{1f}' => out.extend_from_slice(format!("\\u{:04x}", char as u32).as_bytes()),
                _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut out = Vec::new();
        let odd = "a\"b\\c\n\t\u{1}é語";
        Json::new(&mut out).object(|root| {
            root.text("plain", "x{").text(odd, odd).key("numbers").array(|list| {
                list.number(0).number(u64::MAX).object(|_| {}).array(|_| {});
            });
            root.key("yes").boolean(true).texts("texts", ["[", ":"]);
        });
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let expect = serde_json::json!({"plain": "x{", odd: odd, "numbers": [0, u64::MAX, {}, []], "yes": true, "texts": ["[", ":"]});
        assert_eq!(read, expect);
    }
}

//! As much of the protocol of PostgreSQL as it takes to ask by hand.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A connection.
pub struct Wire(TcpStream);

/// What came back for one text.
#[derive(Debug, Default)]
pub struct Heard {
    pub rows: Vec<Vec<Option<String>>>,
    /// Code and text of the error, if there was one.
    pub error: Option<(String, String)>,
}

impl Wire {
    pub fn connect(address: SocketAddr) -> Self {
        Self::connect_as(address, "test")
    }

    /// Connects as somebody who is asked for no password.
    pub fn connect_as(address: SocketAddr, user: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a port that listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut wire = Self(stream);
        let named = format!("user\0{user}\0database\0cacah\0\0");
        wire.send(None, &[&196_608u32.to_be_bytes()[..], named.as_bytes()].concat());
        wire.listen();
        wire
    }

    /// Connects as somebody who is asked for a password; else why he is not let in.
    pub fn enter(address: SocketAddr, user: &str, password: &str) -> Result<Self, (String, String)> {
        let stream = TcpStream::connect(address).expect("a port that listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut wire = Self(stream);
        let named = format!("user\0{user}\0database\0cacah\0\0");
        wire.send(None, &[&196_608u32.to_be_bytes()[..], named.as_bytes()].concat());
        let asked = wire.message();
        if asked.0 == b'E' {
            return Err(error(&asked.1));
        }
        assert_eq!((asked.0, &asked.1[..]), (b'R', &3u32.to_be_bytes()[..]), "a password is asked for");
        wire.send(Some(b'p'), &[password.as_bytes(), b"\0"].concat());
        loop {
            match wire.message() {
                (b'E', body) => return Err(error(&body)),
                (b'Z', _) => return Ok(wire),
                _ => {}
            }
        }
    }

    pub fn ask(&mut self, text: &str) -> Heard {
        let mut body = text.as_bytes().to_vec();
        body.push(0);
        self.send(Some(b'Q'), &body);
        self.listen()
    }

    /// Asks with a statement that is prepared, its parameters given as text.
    pub fn ask_with(&mut self, text: &str, parameters: &[&str]) -> Heard {
        let parse = [&b"\0"[..], text.as_bytes(), b"\0\0\0"].concat();
        self.send(Some(b'P'), &parse);
        let mut bind = b"\0\0\0\0".to_vec();
        bind.extend_from_slice(&(parameters.len() as u16).to_be_bytes());
        for parameter in parameters {
            bind.extend_from_slice(&(parameter.len() as u32).to_be_bytes());
            bind.extend_from_slice(parameter.as_bytes());
        }
        bind.extend_from_slice(&[0, 0]);
        self.send(Some(b'B'), &bind);
        self.send(Some(b'E'), b"\0\0\0\0\0");
        self.send(Some(b'S'), b"");
        self.listen()
    }

    /// The one value of a result.
    pub fn value(&mut self, text: &str) -> String {
        let heard = self.ask(text);
        assert!(heard.error.is_none(), "{text}: {heard:?}");
        heard.rows[0][0].clone().expect("a value")
    }

    /// Sends a message as it is.
    pub fn send(&mut self, kind: Option<u8>, body: &[u8]) {
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        message.extend_from_slice(body);
        self.0.write_all(&message).expect("a port that reads");
    }

    /// Reads until the service is ready for more.
    fn listen(&mut self) -> Heard {
        let mut heard = Heard::default();
        loop {
            match self.message() {
                (b'D', body) => heard.rows.push(row(&body)),
                (b'E', body) => heard.error = Some(error(&body)),
                (b'Z', _) => return heard,
                _ => {}
            }
        }
    }

    fn message(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 5];
        self.0.read_exact(&mut head).expect("a port that answers");
        let mut body = vec![0; u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4];
        self.0.read_exact(&mut body).expect("a whole message");
        (head[0], body)
    }
}

fn row(body: &[u8]) -> Vec<Option<String>> {
    let mut at = 2;
    let mut values = Vec::new();
    while at < body.len() {
        let length = i32::from_be_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
        at += 4;
        values.push(usize::try_from(length).ok().map(|length| {
            let text = String::from_utf8(body[at..at + length].to_vec()).expect("a value in UTF-8");
            at += length;
            text
        }));
    }
    values
}

fn error(body: &[u8]) -> (String, String) {
    let field = |kind: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&kind));
        found.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap_or_default()
    };
    (field(b'C'), field(b'M'))
}

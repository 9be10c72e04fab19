fn main() { println!("{:?}", datafusion::prelude::SessionContext::new().session_id()); }

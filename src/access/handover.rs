//! The paper on which a user id and its one-time password are handed over: one page each, in both languages, with room to sign.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Handover, Institution};

const STYLE: &str = "@page{size:A4;margin:22mm}body{font:11pt/1.5 sans-serif;color:#111}section{break-after:page}h1{font-size:15pt}\
                     th{text-align:left;font-weight:normal;color:#555;padding:2pt 14pt 2pt 0;vertical-align:top}td{padding:2pt 0}\
                     code{font:bold 15pt monospace;letter-spacing:.06em}.sign{display:flex;gap:30mm;margin-top:26mm}.sign div{flex:1;border-top:1px solid #111}";

/// All records, a page each, with the institution of each.
pub fn handover_page(records: &[(Handover, Institution)]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="id" {
            head { meta charset="utf-8"; title { "Berita acara serah terima · Handover record" } style { (PreEscaped(STYLE)) } }
            body { (handover_records(records)) }
        }
    }
}

/// The same within another page, which says how they look.
pub fn handover_records(records: &[(Handover, Institution)]) -> Markup {
    html! { @for (record, institution) in records { (one(record, institution)) } }
}

fn one(record: &Handover, institution: &Institution) -> Markup {
    let request = &record.user.request;
    let rows = [
        ("Lembaga · Institution", format!("{} ({})", institution.name, institution.code)),
        ("Perjanjian · Agreement", format!("{}, {} – {}", institution.agreement, institution.valid_from, institution.valid_to)),
        ("Nama · Name", request.name.clone()),
        ("Nomor pegawai · Employee number", request.employee_number.clone()),
        ("Jabatan · Position", request.position.clone()),
        ("Wilayah kantor · Region of the office", request.region.clone().unwrap_or_else(|| "seluruh negeri · whole country".into())),
    ];
    html! {
        section {
            h1 { "Berita acara serah terima hak akses" br; span lang="en" { "Record of handover of access" } }
            table {
                @for (label, value) in rows { tr { th scope="row" { (label) } td { (value) } } }
                tr { th scope="row" { "Kode pengguna · User id" } td { code { (record.user.called()) } } }
                tr { th scope="row" { "Kata sandi sekali pakai · One-time password" } td { code { (record.password) } } }
                tr { th scope="row" { "Dipakai paling lambat · To be used by" } td { (record.until) } }
            }
            p { "Penerima mengganti kata sandi saat pertama kali masuk, tidak meminjamkannya kepada siapa pun, memakai data hanya untuk keperluan perjanjian, dan tidak berupaya mengenali siapa pun dari angka yang diterbitkan." }
            p lang="en" { "The receiver changes the password at the first sign-in, lends it to nobody, uses the data for the purposes of the agreement alone, and does not try to recognise anybody in published numbers." }
            div.sign { div { "Yang menyerahkan · Handed over by" } div { "Yang menerima · Received by" } }
        }
    }
}

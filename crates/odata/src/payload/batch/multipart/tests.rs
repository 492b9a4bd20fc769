//! Batches as clients write them, and texts that are none.

use super::*;

const TYPE: &str = "multipart/mixed; boundary=b";

fn told(text: &str) -> String {
    match read(TYPE, text.as_bytes(), 4) {
        Ok(batch) => batch
            .parts
            .iter()
            .map(|part| {
                let body = String::from_utf8_lossy(&part.body);
                format!("{} {} {:?} {:?} {body:?}", part.method, part.url, part.id, part.headers)
            })
            .chain(batch.units.iter().map(|unit| format!("{:?} {:?}", unit.group, unit.parts)))
            .collect::<Vec<String>>()
            .join("\n  "),
        Err(error) => format!("{error}"),
    }
}

const HTTP: &str = "Content-Type: application/http\nContent-Transfer-Encoding: binary\n";

/// A part with this request, as a batch of its own.
fn alone(request: &str) -> String {
    format!("--b\n{HTTP}\n{request}\n--b--\n")
}

fn good() -> Vec<String> {
    vec![
        alone("GET reports HTTP/1.1\n\n"),
        alone("GET reports HTTP/1.1"),
        alone("\n\nget http://h/x?$filter=a eq 'b' HTTP/1.1\nAccept:application/json\n\n\n"),
        alone("POST x HTTP/1.1\nContent-Type: application/json\n\n{\"a\":1}\n\n"),
        alone("POST x HTTP/1.1\nContent-Length: 2\n\n{}\n\n"),
        alone("POST x HTTP/1.1\nContent-Length: 1\n\n{\"a\":\"é\"}\n"),
        alone("POST x HTTP/1.1\nContent-Length: 999\n\n{}\n"),
        alone("POST x HTTP/1.1\nContent-ID: 7\n\n{}"),
        format!(
            "preamble\n--b  \n{HTTP}Content-ID: 0.0\n\nDELETE x HTTP/1.1\n\n--b--  \nepilogue\n--b\n"
        ),
        "--b--".to_owned(),
        format!(
            "--b\nContent-Type:multipart/mixed;boundary=\"c d\"\n\n--c d\n{HTTP}Content-ID:1\n\nPUT x HTTP/1.1\n\n{{}}\n--c d\n{HTTP}Content-ID:2\n\nPUT $1 HTTP/1.1\n\n{{}}\n--c d--\n--b\n{HTTP}\nGET x HTTP/1.1\n\n--b--"
        ),
        "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c--\n--b--".to_owned(),
    ]
}

fn bad() -> Vec<String> {
    let set = |inside: &str| {
        format!("--b\nContent-Type: multipart/mixed; boundary=c\n\n{inside}\n--b--\n")
    };
    vec![
        String::new(),
        "--b".to_owned(),
        "--c--".to_owned(),
        format!("--b\n{HTTP}\nGET x HTTP/1.1\n\n"),
        "--b\n--b--".to_owned(),
        "--b\nContent-Type: text/plain\n\nGET x HTTP/1.1\n--b--".to_owned(),
        "--b\nContent-Type: application/http\nContent-Transfer-Encoding: base64\n\nGET x HTTP/1.1\n--b--".to_owned(),
        alone(""),
        alone("GET x"),
        alone("GET x FTP/1.1"),
        alone("G@T x HTTP/1.1"),
        alone("GET x HTTP/1.1\nno header\n\n"),
        alone("GET x HTTP/1.1\na b: c\n\n"),
        alone("GET x HTTP/1.1\nContent-ID:\n\n"),
        set(""),
        set("--c"),
        set("--c\nContent-Type: multipart/mixed; boundary=d\n\n--d--\n--c--"),
        set(&format!("--c\n{HTTP}Content-ID: 1\n\nPUT x HTTP/1.1\n\n--c\n{HTTP}Content-ID: 1\n\nPUT x HTTP/1.1\n\n--c--")),
        "--b\nContent-Type: multipart/mixed\n\n--c--\n--b--".to_owned(),
        [&format!("--b\n{HTTP}\nGET x HTTP/1.1\n\n").repeat(5), "--b--"].concat(),
    ]
}

#[test]
fn what_is_read_and_what_is_not() {
    let lines = |texts: Vec<String>| {
        let lines: Vec<String> =
            texts.iter().map(|text| format!("{text:?}\n  {}", told(text))).collect();
        lines.join("\n")
    };
    assert!(bad().iter().all(|text| read(TYPE, text.as_bytes(), 4).is_err()));
    insta::assert_snapshot!("good", lines(good()));
    insta::assert_snapshot!("bad", lines(bad()));
}

#[test]
fn line_ends_make_no_difference() {
    for text in good() {
        // A body is kept as it was written, and these have one line.
        assert_eq!(told(&text.replace('\n', "\r\n")), told(&text), "{text}");
    }
}

#[test]
fn boundaries() {
    let read = |text: &str| boundary(text).map_err(|error| error.message);
    for good in
        ["multipart/mixed;boundary=a", "multipart/mixed; x=y; Boundary=\"a\"", "x;boundary = a "]
    {
        assert_eq!(read(good).as_deref(), Ok("a"), "{good}");
    }
    assert_eq!(
        read("multipart/mixed; boundary=batch(36522ad7-fc75)").as_deref(),
        Ok("batch(36522ad7-fc75)")
    );
    let long = format!("multipart/mixed; boundary={}", "a".repeat(71));
    for bad in
        ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=\"\"", &long]
    {
        assert!(read(bad).is_err(), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn no_piece_of_a_batch_makes_it_panic(at in 0..12_usize, cut in 0..400_usize, junk in "[-\\PC\r\n]{0,4}") {
        let text = &good()[at];
        let cut = (0..=cut.min(text.len())).rev().find(|cut| text.is_char_boundary(*cut));
        let (before, after) = text.split_at(cut.unwrap_or(0));
        drop(read(TYPE, format!("{before}{junk}{after}").as_bytes(), 4));
    }
}

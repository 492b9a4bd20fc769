//! Batches, in both forms.

use rollcall_odata::payload::batch::{Answer, Answers, Batch, Form, target};

/// The most requests of a batch.
const MOST: usize = 4;

/// A batch: its parts stand in units without gaps, depend on what is before
/// them, and can be answered in its form.
pub fn batch(data: &[u8]) {
    for content_type in ["application/json", "multipart/mixed; boundary=b"] {
        match Batch::read(Some(content_type), data, MOST) {
            Err(error) => {
                let status = error.code.status();
                assert!((400..500).contains(&status) || status == 501, "{error:?}");
            }
            Ok(batch) => sound(&batch),
        }
    }
}

fn sound(batch: &Batch) {
    assert!(batch.parts.len() <= MOST);
    let mut next = 0;
    for unit in &batch.units {
        assert_eq!(unit.parts.start, next);
        assert!(unit.group.is_some() || unit.parts.len() == 1);
        next = unit.parts.end;
    }
    assert_eq!(next, batch.parts.len());
    let mut answers = Answers::new(batch.form, "name");
    for (at, part) in batch.parts.iter().enumerate() {
        assert!(part.after.iter().all(|other| *other < at), "{part:?}");
        if let Ok(target) = target(&part.url, &["host"], &["v1.0"]) {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
            assert!(plain(&target.path) && plain(&target.query), "{target:?}");
        }
        let headers = [("content-type", "text/plain")];
        let answer = Answer { status: 200, reason: "OK", headers: &headers };
        answers.add(part, None, &answer, &part.body);
    }
    let text = answers.finish();
    if batch.form == Form::Json {
        let told: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(told["responses"].as_array().map(Vec::len), Some(batch.parts.len()));
    } else {
        let parts = text
            .windows(33)
            .filter(|one| one.starts_with(b"Content-Transfer-Encoding: binary"))
            .count();
        assert!(parts >= batch.parts.len());
    }
}

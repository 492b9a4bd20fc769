//! The documents under `schemas/` are those that are served.

use std::fs;
use std::path::Path;

use rollcall::http::openapi;
use rollcall_odata::catalog;
use rollcall_odata::payload::csdl::{self, Format};

/// The variable that has the files written anew instead of compared.
const RENEW: &str = "UPDATE_SCHEMAS";

/// The same JSON for people.
fn indented(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn the_files_are_what_is_served() {
    let model = catalog::load(catalog::EMBEDDED).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let renew = std::env::var_os(RENEW).is_some();
    for (name, served) in [
        ("metadata.xml", csdl::document(&model, Format::Xml)),
        ("metadata.json", csdl::document(&model, Format::Json)),
        ("openapi.json", indented(&openapi::document(&model))),
    ] {
        let file = folder.join(name);
        if renew {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, served).unwrap();
            continue;
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == served,
            "schemas/{name} is not what is served. `{RENEW}=1 cargo test --workspace schemas` \
             writes it anew; read the difference before you commit it: it is a promise to clients."
        );
    }
}

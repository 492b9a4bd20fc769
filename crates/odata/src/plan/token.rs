//! Tokens in links: a list as JSON, in base64url without padding.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value as Json;

/// The token that holds this list.
pub(super) fn write(list: &Json) -> String {
    URL_SAFE_NO_PAD.encode(list.to_string())
}

/// The list that a token holds, if it is one.
pub(super) fn read(token: &str) -> Option<Vec<Json>> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Clients keep links: what was written once is read for ever.
    #[test]
    fn a_token_has_one_form() {
        let (list, token) = (json!([2, 7, null, "\u{e4}?>"]), "WzIsNyxudWxsLCLDpD8-Il0");
        assert_eq!(write(&list), token);
        assert_eq!(read(token).map(Json::Array), Some(list));
        let padded = format!("{token}=");
        let object = write(&json!({}));
        assert!(["", "!", &padded, &object].into_iter().all(|other| read(other).is_none()));
    }
}

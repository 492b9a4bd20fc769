//! Permissions: what the claims of a token allow.
//!
//! `Reports.Read.All` is Graph's; `Reports.Create` and `Reports.ReadWrite.All`
//! are Rollcall's own, in Graph's style. A user needs one of Graph's admin roles
//! besides (docs/api/permissions.md has the sources).

use std::sync::Arc;

use rollcall_odata::{Code, Error};

use super::trust::{Admins, Names};

/// What a request needs to be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To read.
    Read,
    /// To create.
    Create,
    /// To change or delete.
    Write,
}

/// The permission to read.
pub const READ: &str = "Reports.Read.All";
/// The permission to create, and nothing else.
pub const CREATE: &str = "Reports.Create";
/// The permission to do everything.
pub const READ_WRITE: &str = "Reports.ReadWrite.All";

/// The permissions from least to most privileged, and what each is enough for.
const PERMISSIONS: [(&str, &[Need]); 3] = [
    (READ, &[Need::Read]),
    (CREATE, &[Need::Create]),
    (READ_WRITE, &[Need::Read, Need::Create, Need::Write]),
];

/// What permissions are called, from the least to the most privileged.
pub fn names() -> impl Iterator<Item = &'static str> {
    PERMISSIONS.iter().map(|(name, _)| *name)
}

/// Graph's admin roles that may see reports, by template id, and whether they
/// are more than readers.
const ADMIN_ROLES: [(&str, &str, bool); 9] = [
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator", true),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator", true),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator", true),
    ("75941009-915a-4869-abe7-691bff18279e", "Skype for Business Administrator", true),
    ("69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator", true),
    ("baf37b3a-610e-45da-9e62-d9d1e5e8914b", "Teams Communications Administrator", true),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader", false),
    ("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader", false),
    ("75934031-6c7e-415a-99d7-48dbd49e875e", "Usage Summary Reports Reader", false),
];

/// What a token says of permissions.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// A user's scopes; an application has none.
    pub scopes: Option<Vec<&'a str>>,
    /// An application's permissions. Of a user's token they are not read.
    pub roles: Vec<&'a str>,
    /// A user's admin roles.
    pub admin_roles: Vec<&'a str>,
}

/// What a token permits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    granted: Vec<Need>,
    holder: Holder,
    names: Arc<Names>,
}

/// Who holds the permissions, and what that adds or takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Holder {
    /// An application: its permissions alone decide.
    #[default]
    Application,
    /// An API key: likewise.
    Key,
    /// A user without an admin role.
    Nobody,
    /// A user whose admin roles only read.
    Reader,
    /// A user with another admin role.
    Administrator,
}

impl Permissions {
    /// What is permitted to who says this, of an issuer with these admin roles
    /// besides Graph's. `names` are the claims that it came from.
    pub fn of(sources: &Sources<'_>, admins: &Admins, names: Arc<Names>) -> Self {
        let (permissions, holder) = match &sources.scopes {
            Some(scopes) => (scopes, holder(&sources.admin_roles, admins)),
            None => (&sources.roles, Holder::Application),
        };
        Self { granted: granted(permissions), holder, names }
    }

    /// What is permitted to an API key with these permissions.
    pub fn of_key(permissions: &[&str]) -> Self {
        let (granted, holder) = (granted(permissions), Holder::Key);
        Self { granted, holder, names: Arc::default() }
    }

    /// Refuses with 403 what is not permitted, and says what would be enough.
    pub fn require(&self, need: Need) -> Result<(), Error> {
        let claim = &self.names.admin_roles;
        let reason = match self.holder {
            _ if !self.granted.contains(&need) => self.expected(need),
            Holder::Nobody => format!(
                "Expected one of the admin roles that may see reports, in the token's {claim}."
            ),
            Holder::Reader if need != Need::Read => format!(
                "The user's admin role only reads. Expected an administrator's, in the token's \
                 {claim}."
            ),
            _ => return Ok(()),
        };
        Err(Error::new(Code::Forbidden, format!("Invalid permission. {reason}")))
    }

    fn expected(&self, need: Need) -> String {
        let enough = PERMISSIONS.iter().filter(|(_, needs)| needs.contains(&need));
        let names: Vec<&str> = enough.map(|(name, _)| *name).collect();
        let names = names.join(" or ");
        match self.holder {
            Holder::Key => format!("Expected an API key with {names}."),
            Holder::Application => {
                format!("Expected {names} in the token's {}.", self.names.roles)
            }
            _ => format!("Expected {names} in the token's {}.", self.names.scopes),
        }
    }
}

/// What those of these permissions are enough for that are known.
fn granted(permissions: &[&str]) -> Vec<Need> {
    let held = PERMISSIONS.iter().filter(|(name, _)| permissions.contains(name));
    held.flat_map(|(_, needs)| needs.iter().copied()).collect()
}

/// Whether this is the GUID of one of Graph's admin roles that do more than read.
pub fn is_graphs_administrator(role: &str) -> bool {
    ADMIN_ROLES.iter().any(|(id, _, writes)| *writes && role.eq_ignore_ascii_case(id))
}

/// What a user's admin roles make of him. GUIDs count in either letter case.
fn holder(roles: &[&str], admins: &Admins) -> Holder {
    let named = |names: &[String]| names.iter().any(|name| roles.contains(&name.as_str()));
    let of_graph = |administrator: bool| {
        let mut known = ADMIN_ROLES.iter().filter(|(.., writes)| *writes == administrator);
        known.any(|(id, ..)| roles.iter().any(|one| one.eq_ignore_ascii_case(id)))
    };
    if of_graph(true) || named(&admins.administrators) {
        Holder::Administrator
    } else if of_graph(false) || named(&admins.readers) {
        Holder::Reader
    } else {
        Holder::Nobody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_go_from_least_to_most() {
        let counts: Vec<usize> = PERMISSIONS.iter().map(|(_, needs)| needs.len()).collect();
        assert!(counts.is_sorted());
    }

    #[test]
    fn a_user_needs_scope_and_role() {
        let admins = Admins {
            readers: vec!["Looks".to_owned()],
            administrators: vec!["Manages".to_owned()],
        };
        let may = |scopes: Option<&'static str>, admin_roles: &[&'static str]| {
            let scopes = scopes.map(|scopes| vec![scopes]);
            let roles = vec!["Reports.ReadWrite.All"];
            let sources = Sources { scopes, roles, admin_roles: admin_roles.to_vec() };
            let permissions = Permissions::of(&sources, &admins, Arc::default());
            [Need::Read, Need::Create, Need::Write].map(|need| permissions.require(need).is_ok())
        };
        assert_eq!(may(Some("Reports.ReadWrite.All"), &["Looks"]), [true, false, false]);
        assert_eq!(may(Some("Reports.ReadWrite.All"), &["Looks", "Manages"]), [true; 3]);
        assert_eq!(may(Some("Reports.ReadWrite.All"), &["looks", "manages"]), [false; 3]);
        for (id, name, administrator) in ADMIN_ROLES {
            let writes = [true, administrator, administrator];
            assert_eq!(may(Some("Reports.ReadWrite.All"), &[id]), writes, "{name}");
            assert_eq!(may(Some(""), &[id]), [false; 3], "{name}");
        }
        assert_eq!(may(Some("Reports.ReadWrite.All"), &[]), [false; 3]);
        assert_eq!(may(None, &[]), [true; 3], "an application needs no role");
    }
}

//! Permissions: what the claims of a token allow.
//!
//! `Reports.Read.All` is Graph's; `Reports.Create` and `Reports.ReadWrite.All`
//! are Rollcall's own, in Graph's style. A user needs one of Graph's admin roles
//! besides (docs/api/permissions.md has the sources).

use rollcall_odata::{Code, Error};

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

/// The permissions from least to most privileged, and what each is enough for.
const PERMISSIONS: [(&str, &[Need]); 3] = [
    ("Reports.Read.All", &[Need::Read]),
    ("Reports.Create", &[Need::Create]),
    ("Reports.ReadWrite.All", &[Need::Read, Need::Create, Need::Write]),
];

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

/// The claims that permissions come from.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// `scp`: present in tokens of users alone.
    pub scopes: Option<&'a str>,
    /// `roles`: an application's permissions. Of a user's token they are not read.
    pub roles: Vec<&'a str>,
    /// `wids`: a user's admin roles.
    pub wids: Vec<&'a str>,
}

/// What a token permits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    granted: Vec<Need>,
    holder: Holder,
}

/// Who holds the permissions, and what that adds or takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Holder {
    /// An application: its permissions alone decide.
    #[default]
    Application,
    /// A user without an admin role.
    Nobody,
    /// A user whose admin roles only read.
    Reader,
    /// A user with another admin role.
    Administrator,
}

impl Permissions {
    /// What these claims permit.
    pub fn of(sources: &Sources<'_>) -> Self {
        let (names, holder): (Vec<&str>, Holder) = match sources.scopes {
            Some(scopes) => (scopes.split(' ').collect(), holder(&sources.wids)),
            None => (sources.roles.clone(), Holder::Application),
        };
        let held = PERMISSIONS.iter().filter(|(name, _)| names.contains(name));
        let granted = held.flat_map(|(_, needs)| needs.iter().copied()).collect();
        Self { granted, holder }
    }

    /// Refuses with 403 what is not permitted, and says what would be enough.
    pub fn require(&self, need: Need) -> Result<(), Error> {
        let reason = match self.holder {
            _ if !self.granted.contains(&need) => self.expected(need),
            Holder::Nobody => {
                "Expected one of the admin roles that may see reports, in the token's wids."
                    .to_owned()
            }
            Holder::Reader if need != Need::Read => {
                "The user's admin role only reads. Expected an administrator's, in the token's \
                 wids."
                    .to_owned()
            }
            _ => return Ok(()),
        };
        Err(Error::new(Code::Forbidden, format!("Invalid permission. {reason}")))
    }

    fn expected(&self, need: Need) -> String {
        let claim = if self.holder == Holder::Application { "roles" } else { "scp" };
        let enough = PERMISSIONS.iter().filter(|(_, needs)| needs.contains(&need));
        let names: Vec<&str> = enough.map(|(name, _)| *name).collect();
        format!("Expected {} in the token's {claim}.", names.join(" or "))
    }
}

/// What a user's admin roles make of him. GUIDs count in either letter case.
fn holder(wids: &[&str]) -> Holder {
    let held =
        ADMIN_ROLES.iter().filter(|(id, ..)| wids.iter().any(|one| one.eq_ignore_ascii_case(id)));
    let mut holder = Holder::Nobody;
    for (.., administrator) in held {
        if *administrator {
            return Holder::Administrator;
        }
        holder = Holder::Reader;
    }
    holder
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
        let may = |scopes, wids: &[&'static str]| {
            let sources =
                Sources { scopes, roles: vec!["Reports.ReadWrite.All"], wids: wids.to_vec() };
            let permissions = Permissions::of(&sources);
            [Need::Read, Need::Create, Need::Write].map(|need| permissions.require(need).is_ok())
        };
        for (id, name, administrator) in ADMIN_ROLES {
            let writes = [true, administrator, administrator];
            assert_eq!(may(Some("Reports.ReadWrite.All"), &[id]), writes, "{name}");
            assert_eq!(may(Some(""), &[id]), [false; 3], "{name}");
        }
        assert_eq!(may(Some("Reports.ReadWrite.All"), &[]), [false; 3]);
        assert_eq!(may(None, &[]), [true; 3], "an application needs no role");
    }
}

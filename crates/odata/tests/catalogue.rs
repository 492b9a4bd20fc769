//! Catalogues beyond the embedded one: other shapes of type load without a
//! line of code, and every kind of mistake is reported with its place.

use rollcall_odata::catalog::{self, EMBEDDED, Mistake};
use rollcall_odata::edm::{EntitySet, Model, Role, Type};

const EMAIL: (&str, &str) = ("email-activity.toml", include_str!("data/email-activity.toml"));
const ACTIVATIONS: (&str, &str) = ("activations.toml", include_str!("data/activations.toml"));

fn all() -> Model {
    let files: Vec<(&str, &str)> = EMBEDDED.iter().copied().chain([EMAIL, ACTIVATIONS]).collect();
    catalog::load(&files).expect("no mistakes")
}

/// Position, name, type and role of every property.
fn listed(set: &EntitySet) -> String {
    let properties = set.entity_type.properties.iter().enumerate();
    let line = |(at, one): (usize, &rollcall_odata::edm::Property)| {
        format!("{at} {} {} {:?}", one.name, one.ty, one.role)
    };
    properties.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_type_with_a_collection_of_strings() {
    let model = all();
    let set = model.entity_set("EMAILactivityUserDetail").unwrap();
    insta::assert_snapshot!(listed(set), @r"
    0 id Edm.String Key
    1 reportRefreshDate Edm.Date Refreshed
    2 userPrincipalName Edm.String Dimension
    3 displayName Edm.String Dimension
    4 isDeleted Edm.Boolean Dimension
    5 deletedDate Edm.Date Dimension
    6 lastActivityDate Edm.Date Dimension
    7 sendCount Edm.Int64 Measure
    8 receiveCount Edm.Int64 Measure
    9 readCount Edm.Int64 Measure
    10 assignedProducts Collection(Edm.String) Dimension
    11 reportPeriod Edm.String Period
    ");
    assert_eq!(set.identity, [1, 2, 11]);
    assert!(!set.nullable(0) && !set.nullable(2) && set.nullable(10));
    let function = &model.functions[1];
    assert_eq!(function.columns.len(), 11);
    assert_eq!(
        (function.columns[9].heading.as_str(), function.columns[9].property),
        ("Assigned Products", 10)
    );
}

#[test]
fn a_type_with_a_collection_of_a_complex_type() {
    let model = all();
    let set = model.entity_set("office365ActivationsUserDetail").unwrap();
    insta::assert_snapshot!(listed(set), @r"
    0 id Edm.String Key
    1 reportRefreshDate Edm.Date Refreshed
    2 userPrincipalName Edm.String Dimension
    3 displayName Edm.String Dimension
    4 userActivationCounts Collection(microsoft.graph.userActivationCounts) Dimension
    ");
    assert_eq!(set.identity, [1, 2]);
    let Type::Collection(item) = &set.entity_type.properties[4].ty else { panic!("no collection") };
    let Type::Complex(complex) = &**item else { panic!("no complex type") };
    assert_eq!(complex.properties.len(), 8);
    assert_eq!(
        (complex.properties[7].name.as_str(), complex.properties[7].role),
        ("windows10Mobile", Role::Measure)
    );
    let columns = &model.functions[2].columns;
    assert_eq!(columns.len(), 11);
    let last = (columns[10].property, columns[10].member);
    assert_eq!(
        last,
        (4, complex.properties.iter().position(|one| one.name == "activatedOnSharedComputer"))
    );
}

#[test]
fn sets_share_a_singleton_and_the_key() {
    let model = all();
    assert_eq!(model.singletons(), ["reports"]);
    for set in &model.entity_sets {
        assert_eq!(set.entity_type.key().role, Role::Key);
        assert_eq!(set.entity_type.base.as_ref().unwrap().short_name(), "entity");
    }
}

#[test]
fn files_come_in_any_order() {
    let mut files: Vec<(&str, &str)> = EMBEDDED.to_vec();
    files.push(ACTIVATIONS);
    files.reverse();
    assert_eq!(catalog::load(&files).unwrap().entity_sets.len(), 2);
}

#[test]
fn a_type_may_serve_several_sets() {
    let second = "[[entity_set]]\nname = \"again\"\nunder = \"reports\"\ntable = \"again\"\n\
                  entity_type = \"microsoft.graph.emailActivityUserDetail\"\n\
                  identity = [\"userPrincipalName\"]";
    let model = catalog::load(&[EMBEDDED[0], EMAIL, ("second.toml", second)]).unwrap();
    assert_eq!(model.entity_set("again").unwrap().identity, [2]);
}

/// A small catalogue without mistakes.
const GOOD: &str = r#"
[[complex_type]]
name = "microsoft.graph.pair"
[[complex_type.property]]
name = "left"
type = "Edm.Int32"

[[entity_type]]
name = "microsoft.graph.thing"
[[entity_type.property]]
name = "key"
type = "Edm.String"
role = "key"
[[entity_type.property]]
name = "day"
type = "Edm.Date"
role = "refreshed"
[[entity_type.property]]
name = "pairs"
type = "Collection(microsoft.graph.pair)"

[[entity_set]]
name = "things"
under = "store"
entity_type = "microsoft.graph.thing"
table = "things"
identity = ["day"]

[[function]]
name = "getThings"
entity_set = "things"
columns = [{ heading = "Day", property = "day" }]
"#;

/// What is put for what in `GOOD`, and the mistakes that follow: entry, field, and a part of the message.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const CASES: &[Case] = &[
    // The file.
    ("name = \"things\"", "name = things", &[("line 23", "syntax", "")]),
    ("under = ", "undre = ", &[("line 24", "syntax", "unknown field `undre`")]),
    ("identity = [\"day\"]", "", &[("line 22", "syntax", "missing field `identity`")]),
    ("role = \"refreshed\"", "role = \"day\"", &[("line 17", "syntax", "unknown variant `day`")]),
    // Types.
    (
        "graph.pair\"\n",
        "graph.2nd\"\n",
        &[
            ("microsoft.graph.2nd", "name", "`microsoft.graph.` and an identifier"),
            ("microsoft.graph.thing", "pairs", "`Collection(microsoft.graph.pair)` is no type"),
        ],
    ),
    (
        "name = \"microsoft.graph.thing\"",
        "name = \"microsoft.graph.pair\"",
        &[
            ("microsoft.graph.pair", "name", "there already"),
            ("things", "entity_type", "no entity type `microsoft.graph.thing`"),
            ("getThings", "entity_set", "no entity set `things`"),
        ],
    ),
    (
        "name = \"microsoft.graph.thing\"",
        "name = \"microsoft.graph.thing\"\nbase = \"x\"",
        &[
            ("microsoft.graph.thing", "base", "no entity type `x`"),
            ("things", "entity_type", "no entity type `microsoft.graph.thing`"),
            ("getThings", "entity_set", "no entity set `things`"),
        ],
    ),
    // Properties.
    ("name = \"left\"", "name = \"l-eft\"", &[("microsoft.graph.pair", "l-eft", "an identifier")]),
    ("name = \"pairs\"", "name = \"DAY\"", &[("microsoft.graph.thing", "DAY", "there already")]),
    ("Edm.Int32", "Edm.Int16", &[("microsoft.graph.pair", "left", "`Edm.Int16` is no type")]),
    (
        "role = \"refreshed\"",
        "role = \"measure\"",
        &[
            ("microsoft.graph.thing", "day", "type Edm.Date does not fit role Measure"),
            ("things", "identity", "no own property `day`"),
            ("getThings", "entity_set", "no entity set `things`"),
        ],
    ),
    (
        "role = \"key\"",
        "",
        &[
            ("microsoft.graph.thing", "property", "one property in role `key`, the first"),
            ("things", "entity_type", "no entity type"),
            ("getThings", "entity_set", "no entity set"),
        ],
    ),
    (
        "name = \"pairs\"\ntype = \"Collection(microsoft.graph.pair)\"",
        "name = \"pairs\"\ntype = \"Edm.Date\"\nrole = \"refreshed\"",
        &[("microsoft.graph.thing", "role", "`pairs` is the second")],
    ),
    (
        "left\"\n",
        "left\"\ndemo = {}\n",
        &[
            ("microsoft.graph.pair", "left", "`demo` is for properties of entity types"),
            ("microsoft.graph.pair", "left", "`demo` is for measures"),
        ],
    ),
    (
        "role = \"refreshed\"\n",
        "role = \"refreshed\"\ndemo = { total = true }\n",
        &[("microsoft.graph.thing", "day", "`demo` is for measures")],
    ),
    (PAIRS, COUNTED_IN_PART, &[("microsoft.graph.thing", "pairs", "`share` and `weekend`")]),
    (PAIRS, COUNTED_TOO_HIGH, &[("microsoft.graph.thing", "pairs", "from 0 to 100")]),
    (PAIRS, COUNTED_TOO_FAST, &[("microsoft.graph.thing", "pairs", "from -90 to 100")]),
    (PAIRS, COUNTED_TWICE, &[("microsoft.graph.thing", "pairs", "`total = true` alone")]),
    // Entity sets.
    (
        "name = \"things\"",
        "name = \"my things\"",
        &[
            ("my things", "name", "an identifier"),
            ("getThings", "entity_set", "no entity set `things`"),
        ],
    ),
    ("under = \"store\"", "under = \"\"", &[("things", "under", "an identifier")]),
    ("table = \"things\"", "table = \"a;b\"", &[("things", "table", "an identifier")]),
    ("[[function]]", SECOND_NAME, &[("THINGS", "name", "there already")]),
    ("[[function]]", SECOND_TABLE, &[("others", "table", "another entity set")]),
    (
        "identity = [\"day\"]",
        "identity = [\"date\"]",
        &[
            ("things", "identity", "no own property `date`"),
            ("getThings", "entity_set", "no entity set"),
        ],
    ),
    (
        "identity = [\"day\"]",
        "identity = [\"key\"]",
        &[
            ("things", "identity", "no own property `key`"),
            ("getThings", "entity_set", "no entity set"),
        ],
    ),
    (
        "identity = [\"day\"]",
        "identity = [\"day\", \"day\"]",
        &[
            ("things", "identity", "`day` is there twice"),
            ("getThings", "entity_set", "no entity set"),
        ],
    ),
    (
        "identity = [\"day\"]",
        "identity = [\"pairs\"]",
        &[
            ("things", "identity", "`pairs` is no primitive property"),
            ("getThings", "entity_set", "no entity set"),
        ],
    ),
    (
        "identity = [\"day\"]",
        "identity = []",
        &[("things", "identity", "which fact"), ("getThings", "entity_set", "no entity set")],
    ),
    // Functions.
    ("name = \"getThings\"", "name = \"get things\"", &[("get things", "name", "an identifier")]),
    ("[[function]]", SECOND_FUNCTION, &[("getThings", "name", "there already")]),
    (
        "entity_set = \"things\"",
        "entity_set = \"thing\"",
        &[("getThings", "entity_set", "no entity set `thing`")],
    ),
    (
        "property = \"day\" }",
        "property = \"date\" }",
        &[("getThings", "columns", "no property `date`")],
    ),
    (
        "property = \"day\" }",
        "property = \"day\" }, { heading = \"DAY\", property = \"key\" }",
        &[("getThings", "columns", "`DAY` is there twice")],
    ),
    (
        "property = \"day\" }",
        "property = \"pairs/left\" }, { heading = \"Right\", property = \"pairs/right\" }",
        &[("getThings", "columns", "no property `pairs/right`")],
    ),
    (
        "role = \"refreshed\"",
        "role = \"date\"",
        &[("getThings", "entity_set", "the identity of `things` has no refresh date")],
    ),
];

const PAIRS: &str = "Collection(microsoft.graph.pair)\"";

const COUNTED_IN_PART: &str = "Edm.Int64\"\nrole = \"measure\"\ndemo = { share = 5 }";

const COUNTED_TOO_HIGH: &str =
    "Edm.Int64\"\nrole = \"measure\"\ndemo = { share = 101, weekend = 0 }";

const COUNTED_TOO_FAST: &str =
    "Edm.Int64\"\nrole = \"measure\"\ndemo = { share = 1, weekend = 0, yearly = -91 }";

const COUNTED_TWICE: &str = "Edm.Int64\"\nrole = \"measure\"\ndemo = { total = true, weekend = 0 }";

const SECOND_NAME: &str = "[[entity_set]]\nname = \"THINGS\"\nunder = \"store\"\ntable = \"t\"\n\
    entity_type = \"microsoft.graph.thing\"\nidentity = [\"day\"]\n[[function]]";

const SECOND_TABLE: &str = "[[entity_set]]\nname = \"others\"\nunder = \"store\"\n\
    table = \"Things\"\nentity_type = \"microsoft.graph.thing\"\nidentity = [\"day\"]\n[[function]]";

const SECOND_FUNCTION: &str = "[[function]]\nname = \"GETTHINGS\"\nentity_set = \"things\"\n\
    [[function]]";

#[test]
fn every_kind_of_mistake_names_file_entry_and_field() {
    assert!(catalog::load(&[("good.toml", GOOD)]).is_ok());
    for (from, to, expected) in CASES {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let mistakes = catalog::load(&[("a.toml", &text)]).expect_err(to).0;
        let places: Vec<(&str, &str, &str)> = mistakes.iter().map(place).collect();
        let wanted: Vec<(&str, &str, &str)> =
            expected.iter().map(|(entry, field, _)| ("a.toml", *entry, *field)).collect();
        assert_eq!(places, wanted, "{to}: {mistakes:?}");
        for (mistake, (_, _, part)) in mistakes.iter().zip(*expected) {
            assert!(mistake.message.contains(part), "{to}: {mistake:?}");
        }
    }
}

fn place(mistake: &Mistake) -> (&str, &str, &str) {
    (&mistake.file, &mistake.entry, &mistake.field)
}

#[test]
fn one_run_shows_the_mistakes_of_all_files() {
    let error = catalog::load(&[("a.toml", "x ="), EMBEDDED[0], ("b.toml", "[[function]]")]);
    let error = error.unwrap_err().to_string();
    let files: Vec<&str> = error.lines().filter_map(|line| line.split(':').next()).collect();
    assert!(files.contains(&"a.toml") && files.contains(&"b.toml"), "{error}");
}

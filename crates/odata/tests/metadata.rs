//! `$metadata` under the rules of CSDL that can be checked without its XML
//! schemas: which element stands where and with what, and that every name
//! leads somewhere.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test itself does")]

#[path = "metadata/json.rs"]
mod json;
#[path = "metadata/xml.rs"]
mod xml;

use std::collections::{HashMap, HashSet};

use rollcall_odata::catalog::{self, EMBEDDED};
use rollcall_odata::edm::Model;
use rollcall_odata::payload::csdl;
use xml::Element;

/// Parent, its children in the order that they may come in ('|' joins those
/// that mix), and its attributes, with '!' where required.
const SHAPES: &[(&str, &[&str], &[&str])] = &[
    ("edmx:Edmx", &["edmx:Reference", "edmx:DataServices"], &["Version!", "xmlns:edmx!"]),
    ("edmx:Reference", &["edmx:Include"], &["Uri!"]),
    ("edmx:Include", &[], &["Namespace!", "Alias"]),
    ("edmx:DataServices", &["Schema"], &[]),
    (
        "Schema",
        &["ComplexType|EntityType", "Function", "EntityContainer"],
        &["Namespace!", "Alias", "xmlns!"],
    ),
    ("Function", &["Parameter", "ReturnType"], &["Name!", "IsBound!", "IsComposable"]),
    ("Parameter", &[], &["Name!", "Type!", "Nullable"]),
    ("ReturnType", &[], &["Type!", "Nullable"]),
    ("ComplexType", &["Property|Annotation"], &["Name!"]),
    (
        "EntityType",
        &["Key", "Property|NavigationProperty|Annotation"],
        &["Name!", "BaseType", "Abstract"],
    ),
    ("Key", &["PropertyRef"], &[]),
    ("PropertyRef", &[], &["Name!"]),
    ("Property", &["Annotation"], &["Name!", "Type!", "Nullable", "Precision"]),
    ("NavigationProperty", &["Annotation"], &["Name!", "Type!"]),
    ("EntityContainer", &["Annotation", "EntitySet|Singleton"], &["Name!"]),
    ("EntitySet", &["Annotation"], &["Name!", "EntityType!"]),
    ("Singleton", &["NavigationPropertyBinding|Annotation"], &["Name!", "Type!"]),
    ("NavigationPropertyBinding", &[], &["Path!", "Target!"]),
    ("Annotation", &["Collection|Record"], &["Term!", "String", "Bool", "Int"]),
    ("Collection", &["Record|String|PropertyPath"], &[]),
    ("Record", &["PropertyValue"], &["Type"]),
    (
        "PropertyValue",
        &["Collection|EnumMember|Le"],
        &["Property!", "String", "Bool", "PropertyPath"],
    ),
    ("Le", &["Path"], &[]),
    ("String", &[], &[]),
    ("PropertyPath", &[], &[]),
    ("EnumMember", &[], &[]),
    ("Path", &[], &[]),
];

fn models() -> Vec<Model> {
    let email = ("email.toml", include_str!("data/email-activity.toml"));
    let activations = ("activations.toml", include_str!("data/activations.toml"));
    // Two sets of one type that disagree on which fact an entity is.
    let second = "[[entity_set]]\nname = \"again\"\nunder = \"reports\"\ntable = \"again\"\n\
                  entity_type = \"microsoft.graph.emailActivityUserDetail\"\n\
                  identity = [\"userPrincipalName\"]";
    let more: Vec<(&str, &str)> = EMBEDDED.iter().copied().chain([email, activations]).collect();
    let most: Vec<(&str, &str)> = more.iter().copied().chain([("second.toml", second)]).collect();
    [EMBEDDED, &more, &most].map(|files| catalog::load(files).unwrap()).into()
}

fn documents() -> Vec<Element> {
    models().iter().map(|model| xml::parse(&csdl::xml(model))).collect()
}

#[test]
fn json_says_what_xml_says() {
    for model in models() {
        let said: serde_json::Value = serde_json::from_str(&csdl::json(&model)).unwrap();
        assert_eq!(said, json::translated(&xml::parse(&csdl::xml(&model))));
    }
}

#[test]
fn elements_and_attributes_are_where_they_belong() {
    let shapes: HashMap<&str, _> = SHAPES.iter().map(|shape| (shape.0, shape)).collect();
    for document in documents() {
        document.visit(&mut |element| {
            let (_, children, attributes) = shapes[element.name.as_str()];
            let place = |child: &Element| {
                let slot =
                    children.iter().position(|slot| slot.split('|').any(|one| one == child.name));
                slot.unwrap_or_else(|| panic!("{} in {}", child.name, element.name))
            };
            let places: Vec<usize> = element.children.iter().map(place).collect();
            assert!(places.is_sorted(), "{}", element.name);
            for required in attributes.iter().filter_map(|one| one.strip_suffix('!')) {
                assert!(element.get(required).is_some(), "{} without {required}", element.name);
            }
            for (name, _) in &element.attributes {
                let known = attributes.iter().any(|one| one.trim_end_matches('!') == name);
                assert!(known, "{} in {}", name, element.name);
            }
        });
    }
}

/// What a document declares: the properties of each type by full name, base types' included.
fn declared(schema: &Element) -> HashMap<String, HashSet<String>> {
    let namespace = schema.get("Namespace").unwrap();
    let mut types: HashMap<String, HashSet<String>> = HashMap::new();
    for ty in schema.children.iter().filter(|one| one.name.ends_with("Type")) {
        let mut names: HashSet<String> = HashSet::new();
        for one in ty.children.iter().filter(|one| one.name.ends_with("Property")) {
            let name = one.get("Name").unwrap().to_owned();
            assert!(names.insert(name), "a property of {:?} twice", ty.get("Name"));
        }
        if let Some(base) = ty.get("BaseType") {
            names.extend(types[base].clone());
        }
        let name = format!("{namespace}.{}", ty.get("Name").unwrap());
        assert!(types.insert(name, names).is_none(), "a type twice");
    }
    types
}

#[test]
fn every_type_is_declared() {
    const PRIMITIVE: &[&str] = &["Int64", "Int32", "Boolean", "String", "Date", "Guid", "Duration"];
    for document in documents() {
        let schema = document.find("Schema");
        let types = declared(schema);
        schema.visit(&mut |element| {
            if element.name == "Record" {
                return;
            }
            for attribute in ["Type", "BaseType", "EntityType"] {
                let Some(name) = element.get(attribute) else { continue };
                let inner =
                    name.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'));
                let item = inner.unwrap_or(name);
                let primitive =
                    item.strip_prefix("Edm.").is_some_and(|one| PRIMITIVE.contains(&one));
                assert!(primitive || types.contains_key(item), "{name}");
            }
        });
    }
}

#[test]
fn every_path_leads_to_a_property() {
    for document in documents() {
        let schema = document.find("Schema");
        let types = declared(schema);
        let namespace = schema.get("Namespace").unwrap();
        let check = |owner: &Element, ty: &str| {
            owner.visit(&mut |element| {
                let text = match element.name.as_str() {
                    "PropertyPath" | "Path" => Some(element.text.as_str()),
                    _ => element.get("PropertyPath"),
                };
                if let Some(path) = text {
                    assert!(types[ty].contains(path), "{path} of {ty}");
                }
            });
        };
        for ty in schema.children.iter().filter(|one| one.name == "EntityType") {
            check(ty, &format!("{namespace}.{}", ty.get("Name").unwrap()));
        }
        for set in schema.find("EntityContainer").all("EntitySet") {
            check(set, set.get("EntityType").unwrap());
        }
    }
}

#[test]
fn singletons_lead_to_the_entity_sets() {
    for document in documents() {
        let schema = document.find("Schema");
        let container = schema.find("EntityContainer");
        let sets: HashMap<&str, &str> = container
            .all("EntitySet")
            .map(|set| (set.get("Name").unwrap(), set.get("EntityType").unwrap()))
            .collect();
        let mut bound = HashSet::new();
        for singleton in container.all("Singleton") {
            let ty = singleton.get("Type").and_then(|ty| ty.rsplit('.').next()).unwrap();
            let ty = schema.all("EntityType").find(|one| one.get("Name") == Some(ty)).unwrap();
            for binding in singleton.all("NavigationPropertyBinding") {
                let target = binding.get("Target").unwrap();
                let mut properties = ty.all("NavigationProperty");
                let property = properties.find(|one| one.get("Name") == binding.get("Path"));
                let leads_to = format!("Collection({})", sets[target]);
                assert_eq!(property.unwrap().get("Type"), Some(leads_to.as_str()));
                bound.insert(target);
            }
        }
        assert_eq!(bound.len(), sets.len());
    }
}

#[test]
fn every_term_is_of_a_vocabulary_that_is_included() {
    for document in documents() {
        let references = document.all("edmx:Reference").map(|one| one.find("edmx:Include"));
        let included: HashSet<&str> = references.map(|one| one.get("Alias").unwrap()).collect();
        let mut used = HashSet::new();
        document.visit(&mut |element| {
            let term = element.get("Term").filter(|_| element.name == "Annotation");
            let record = element.get("Type").filter(|_| element.name == "Record");
            for name in term.into_iter().chain(record) {
                used.insert(name.split('.').next().unwrap().to_owned());
            }
        });
        assert_eq!(used, included.into_iter().map(str::to_owned).collect());
        document.visit(&mut |element| {
            let mut terms = HashSet::new();
            let twice = element.all("Annotation").find(|one| !terms.insert(one.get("Term")));
            assert!(twice.is_none(), "{twice:?}");
        });
    }
}

#[test]
fn rules_beyond_types_are_declared() {
    let model = catalog::load(EMBEDDED).unwrap();
    let document = csdl::xml(&model);
    let ty = &model.entity_sets[0].entity_type;
    let required = document.matches("<PropertyPath>").count() - 1;
    assert_eq!(required, ty.properties.len() - 1, "all but the key are required on insert");
    let measures =
        ty.properties.iter().filter(|one| one.role == rollcall_odata::edm::Role::Measure);
    assert_eq!(document.matches("Validation.Minimum").count(), measures.count());
    for term in [
        "Core.AlternateKeys",
        "Core.ComputedDefaultValue",
        "Validation.Constraint",
        "Validation.Pattern",
    ] {
        assert!(document.contains(term), "{term}");
    }
}

#[test]
fn functions_are_bound_to_what_leads_to_their_entity_set() {
    for document in documents() {
        let schema = document.find("Schema");
        let declared = declared(schema);
        let mut overloads = HashSet::new();
        for function in schema.all("Function") {
            assert_eq!(function.get("IsBound"), Some("true"));
            let parameters: Vec<&str> =
                function.all("Parameter").filter_map(|one| one.get("Type")).collect();
            let rows = function.find("ReturnType").get("Type").unwrap();
            let tracks = function.get("Name") == Some("delta");
            assert_eq!(parameters[0], if tracks { rows } else { "microsoft.graph.reportRoot" });
            let row = rows.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'));
            assert!(declared.contains_key(row.unwrap()), "{rows}");
            let names: Vec<&str> =
                function.all("Parameter").filter_map(|one| one.get("Name")).collect();
            let call = (function.get("Name").unwrap(), parameters[0], names);
            assert!(overloads.insert(call), "{function:?}");
        }
        assert!(!overloads.is_empty());
    }
}

#[test]
fn nothing_is_declared_that_is_not_served() {
    for document in documents() {
        document.visit(&mut |element| {
            assert!(!["Action", "FunctionImport"].contains(&element.name.as_str()));
            assert_eq!(element.get("ContainsTarget"), None);
        });
    }
}

#[test]
fn sets_that_disagree_declare_their_own_alternate_keys() {
    let alternate = |element: &Element| {
        element.all("Annotation").any(|one| one.get("Term") == Some("Core.AlternateKeys"))
    };
    let document = documents().pop().unwrap();
    let schema = document.find("Schema");
    for set in schema.find("EntityContainer").all("EntitySet") {
        let short = set.get("EntityType").and_then(|name| name.rsplit('.').next());
        let ty = schema.all("EntityType").find(|one| one.get("Name") == short).unwrap();
        assert_ne!(alternate(set), alternate(ty), "{short:?}");
        assert_eq!(alternate(set), short == Some("emailActivityUserDetail"));
    }
}

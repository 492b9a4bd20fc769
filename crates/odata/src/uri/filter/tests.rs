use proptest::prelude::*;

use super::*;

const LIMITS: Limits =
    Limits { nodes: 200, depth: 20, list: 10, keys: 5, pattern: 1000, transformations: 20 };

fn shown(text: &str) -> String {
    match parse("$filter", text, LIMITS) {
        Ok(node) => node.to_string(),
        Err(error) => error.message,
    }
}

#[test]
fn precedence() {
    for (text, grouped) in [
        ("a or b and c", "Or([a, And([b, c])])"),
        ("(a or b) and c", "And([Or([a, b]), c])"),
        ("a and (b and c)", "And([a, And([b, c])])"),
        ("not a eq b", "Eq(Not(a), b)"),
        ("not (a eq b)", "Not(Eq(a, b))"),
        ("a lt b eq c lt d", "Eq(Lt(a, b), Lt(c, d))"),
        ("a add b mul c sub d", "Sub(Add(a, Mul(b, c)), d)"),
        ("-a mul b", "Mul(Negate(a), b)"),
        ("-5 sub - 5", "Sub(-5, Negate(5))"),
        ("a divby b mod c div d", "Div(Mod(DivBy(a, b), c), d)"),
        ("a add b in (1,2) eq true", "Eq(In(Add(a, b), (1,2)), true)"),
        ("a sub b sub c", "Sub(Sub(a, b), c)"),
    ] {
        let node = parse("$filter", text, LIMITS).unwrap();
        assert_eq!(grouping(&node), grouped, "{text}");
    }
}

fn grouping(node: &Node) -> String {
    let list = |all: &[Node]| all.iter().map(grouping).collect::<Vec<_>>().join(", ");
    match &node.kind {
        Kind::Or(all) => format!("Or([{}])", list(all)),
        Kind::And(all) => format!("And([{}])", list(all)),
        Kind::Unary(operator, one) => format!("{operator:?}({})", grouping(one)),
        Kind::Binary(operator, left, right) => {
            format!("{operator:?}({}, {})", grouping(left), grouping(right))
        }
        Kind::In(one, list) => format!("In({}, {list})", grouping(one)),
        _ => node.to_string(),
    }
}

#[test]
fn what_is_read_in_any_spelling() {
    let lines: Vec<String> = [
        "people GE 5 AND STARTSWITH(id,'a')",
        "$ROOT/a('b c/')/d eq f($root/a(b=1,c='x')/d,$root/a/b) and case(true:$root/a(')')/b)",
        "  people   eq  TRUE ",
        "a eq NULL or b ne null",
        "text eq 'it''s' and text ne ''",
        "d eq 2026-02-28 and t lt 23:59:59.5 or i gt 2026-02-28T10:00:00+02:00",
        "g eq da0e2eb0-2eb0-da0e-b02e-0edab02e0eda",
        "g eq abcdefab-2eb0-da0e-b02e-0edab02e0eda or x eq abcdefab",
        "l eq duration'PT1H' and b eq binary'AA' and e eq Some.Type'x'",
        "n eq -1.5e-3 and n lt INF and n gt -INF and n ne NaN",
        "a in (1,2) and b in [\"x\",null,true,1.5] and c in @list and d in ()",
        "a in []",
        "$it/a eq $it/b/c",
        "case(a gt 1:'x',true:'y') eq 'x'",
        "names/any(x:x eq 'a') or names/any() or $it/names/all(x:true)",
        "microsoft.graph.f(a) or geo.distance(a,b) lt 1",
        "now() gt @p",
        "- - -a",
        "((((a))))",
        "\u{e9}t\u{e9} eq '\u{1F600}'",
    ]
    .iter()
    .map(|text| format!("{text}\n    {}", shown(text)))
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_refused_with_its_position() {
    let deep = "(".repeat(1000);
    let nots = "not ".repeat(1000);
    let minus = "-".repeat(1000);
    let sums = vec!["a"; 1000].join(" add ");
    let ors = vec!["a"; 1000].join(" or ");
    let list = format!("a in ({})", ["1"; 11].join(","));
    let array = format!("a in [{}]", ["1"; 11].join(","));
    let nested = format!("a in {}", "[".repeat(10_000));
    let lines: Vec<String> = [
        "",
        " ",
        "a eq",
        "eq 5",
        "a eq eq",
        "a b",
        "(a",
        "a)",
        "f(a",
        "f(a,",
        "f(,a)",
        "f(a b)",
        "'abc",
        "a eq 'b''",
        "duration'PT",
        "a eq @",
        "a/",
        "a/5",
        "a in 5",
        "a in (1",
        "a in [1",
        "a in [[1]]",
        "a in {}",
        "case(a)",
        "case(a:b",
        "x/any(a)",
        "x/any(y",
        "x/any(5:a)",
        "a ! b",
        "a = b",
        "a & b",
        "a eq \"b\"",
        "a \u{1F600}",
        "1a eq 5 5",
        &deep,
        &nots,
        &minus,
        &sums,
        &ors,
        &list,
        &array,
        &nested,
    ]
    .iter()
    .map(|text| format!("{}\n    {}", text.chars().take(30).collect::<String>(), shown(text)))
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

fn literals() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        "[a'%é \u{1F600}]{0,4}".prop_map(Literal::Text),
        any::<i64>().prop_map(|number| Literal::Number(number.to_string())),
        Just(Literal::Number("2026-02-28T01:02:03.5Z".to_owned())),
        Just(Literal::Number("-INF".to_owned())),
        Just(Literal::Guid("da0e2eb0-2eb0-da0e-b02e-0edab02e0eda".to_owned())),
        "[A-Z']{0,3}".prop_map(|text| Literal::Prefixed("duration".to_owned(), text)),
    ]
    .prop_map(Kind::Literal)
}

fn names() -> impl Strategy<Value = String> {
    "[b-h_é][a-h0-9_.]{0,3}".prop_filter("no operator", |name| {
        !matches!(name.as_str(), "has" | "eq" | "ge" | "gt" | "div")
    })
}

const BINARY: [Binary; 13] = [
    Binary::Eq,
    Binary::Ne,
    Binary::Gt,
    Binary::Ge,
    Binary::Lt,
    Binary::Le,
    Binary::Has,
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::DivBy,
    Binary::Mod,
];

fn node(kind: Kind) -> Node {
    Node { at: 0, kind }
}

fn trees() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        literals(),
        prop::collection::vec(names(), 1..3).prop_map(Kind::Path),
        names().prop_map(Kind::Alias),
        prop::sample::select(vec!["a('it''s(')/b", "a/b", "a(b='x y',c=@d)/e", "$x(a eq 1)"])
            .prop_map(|path| Kind::Root(path.to_owned())),
    ]
    .prop_map(node);
    leaf.prop_recursive(5, 40, 4, |inner| {
        let all = || prop::collection::vec(inner.clone(), 2..4);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            all().prop_map(Kind::And),
            all().prop_map(Kind::Or),
            (prop::sample::select(vec![Unary::Not, Unary::Negate]), boxed())
                .prop_map(|(o, one)| Kind::Unary(o, one)),
            (prop::sample::select(BINARY.to_vec()), boxed(), boxed())
                .prop_map(|(o, one, two)| Kind::Binary(o, one, two)),
            (boxed(), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(one, list)| Kind::In(one, Box::new(node(Kind::List(list))))),
            (names(), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(name, list)| Kind::Call(name, list)),
            prop::collection::vec((inner.clone(), inner.clone()), 1..3).prop_map(Kind::Case),
            (names(), names(), boxed()).prop_map(|(path, variable, body)| {
                Kind::Lambda(vec![path], "any".to_owned(), Some((variable, body)))
            }),
        ]
        .prop_map(node)
    })
}

const WIDE: Limits =
    Limits { nodes: 10_000, depth: 500, list: 100, keys: 5, pattern: 1000, transformations: 20 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_printed_is_read_as_the_same(tree in trees()) {
        let text = tree.to_string();
        prop_assert_eq!(parse("$filter", &text, WIDE), Ok(tree), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        drop(parse("$filter", &text, LIMITS));
    }

    #[test]
    fn what_is_read_is_printed_and_read_again(words in prop::collection::vec(
        prop::sample::select(vec![
            "a", "not", "-", "(", ")", "eq", "and", "or", "in", "[1,\"x\"]", ",", "5", "'x'", "f(",
            "$root/a('b", "$root/a(", "/", "add", "mul", "has", "@p", "null", "case(", ":", "any(", "2026-01-01", "-7", "'",
        ]), 0..16)) {
        let text = words.join(" ");
        if let Ok(tree) = parse("$filter", &text, LIMITS) {
            let printed = tree.to_string();
            prop_assert_eq!(parse("$filter", &printed, WIDE), Ok(tree), "{}", printed);
        }
    }
}

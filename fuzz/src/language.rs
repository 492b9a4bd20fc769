//! The languages of query options.

use rollcall_odata::Error;
use rollcall_odata::uri::Limits;
use rollcall_odata::uri::apply;
use rollcall_odata::uri::filter::{self, Kind, Node};
use rollcall_odata::uri::{clauses, search};

/// Small, so that a fuzzer meets them.
const LIMITS: Limits =
    Limits { nodes: 60, depth: 12, list: 20, keys: 4, pattern: 4096, transformations: 20 };

/// What is printed may need a parenthesis more at each operator.
const WIDE: Limits =
    Limits { nodes: 600, depth: 240, list: 20, keys: 4, pattern: 4096, transformations: 20 };

/// How many operators bind less tightly than an operand: as many levels a tree
/// may have for each level of nesting.
const OPERATORS: usize = 8;

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Whether an error that names a position means one of this text.
fn points_into(text: &str, error: &Error) {
    assert!(!error.message.is_empty() && error.target.is_some(), "{error:?}");
    let Some((_, rest)) = error.message.split_once("Syntax error at position ") else { return };
    let digits = rest.split(' ').next().unwrap_or_default();
    let at: usize = digits.parse().expect("a position is a number");
    assert!(text.is_char_boundary(at), "position {at} of {text:?}: {error}");
}

/// `$filter`.
pub fn filter(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match filter::parse("$filter", text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(node) => {
            within_limits(&node);
            survives(&node);
        }
    }
}

fn survives(node: &Node) {
    let printed = node.to_string();
    let again = filter::parse("$filter", &printed, WIDE).expect(&printed);
    assert_eq!(again, *node, "{printed}");
    assert_eq!(again.to_string(), printed);
}

fn within_limits(node: &Node) {
    let (size, depth) = measure(node);
    assert!(size <= LIMITS.nodes, "{size} nodes: {node}");
    assert!(depth <= LIMITS.depth * OPERATORS, "{depth} levels: {node}");
}

/// How many nodes a tree has, literals in lists left out, and how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let all = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes.map(measure).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1.max(one.1)))
    };
    let (size, depth) = match &node.kind {
        Kind::Literal(_)
        | Kind::Path(_)
        | Kind::Root(_)
        | Kind::Alias(_)
        | Kind::Array(_)
        | Kind::Lambda(_, _, None) => (0, 0),
        Kind::Unary(_, one) | Kind::Lambda(_, _, Some((_, one))) => measure(one),
        Kind::Binary(_, left, right) | Kind::In(left, right) => {
            all(&mut [&**left, right].into_iter())
        }
        Kind::And(nodes) | Kind::Or(nodes) | Kind::Call(_, nodes) => all(&mut nodes.iter()),
        Kind::Case(branches) => all(&mut branches.iter().flat_map(|(one, other)| [one, other])),
        Kind::List(items) => {
            all(&mut items.iter().filter(|item| !matches!(item.kind, Kind::Literal(_))))
        }
    };
    (size + 1, depth + 1)
}

/// `$orderby`, `$compute`, `$select` and the value of an alias.
pub fn clauses(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match clauses::order(text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(keys) => {
            assert!(keys.len() <= LIMITS.keys);
            for key in keys {
                survives(&key.expression);
            }
        }
    }
    match clauses::compute(text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(all) => {
            for one in all {
                survives(&one.expression);
            }
        }
    }
    match clauses::select(text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(items) => assert!(items.len() <= LIMITS.list),
    }
    match clauses::alias("@p", text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(node) => within_limits(&node),
    }
}

/// `$search`.
pub fn search(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match search::parse(text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(tree) => {
            let printed = tree.to_string();
            assert_eq!(search::parse(&printed, WIDE), Ok(tree), "{printed}");
        }
    }
}

/// `$apply`.
pub fn transformations(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match apply::parse(text, LIMITS) {
        Err(error) => points_into(text, &error),
        Ok(sequence) => {
            assert!(sequence.len() <= LIMITS.transformations);
            let printed = apply::sequence(&sequence);
            let again = apply::parse(&printed, WIDE).expect(&printed);
            assert_eq!(apply::sequence(&again), printed);
        }
    }
}

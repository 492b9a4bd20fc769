use super::*;
use crate::catalog;

fn rows() -> Collection {
    let set = Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0]);
    Collection::of_references("http://x/v1.0", set)
}

/// A part with this many addresses.
fn part(rows: &mut Collection, number: usize, (is_first, is_last): (bool, bool)) -> Vec<u8> {
    (0..number).for_each(|at| rows.reference(&format!("http://x/{at}")));
    let next_link = is_last.then_some("http://x/next");
    rows.part(&Part { is_first, is_last, count: Some(7), next_link })
}

#[test]
fn parts_are_together_what_the_whole_is() {
    let whole = part(&mut rows(), 1, (true, true));
    let mut none = rows();
    let parts = [
        part(&mut none, 1, (true, false)),
        part(&mut none, 0, (false, false)),
        part(&mut none, 0, (false, true)),
    ];
    assert_eq!(parts.concat(), whole);
    let mut some = rows();
    let first = part(&mut some, 2, (true, false));
    let mut some = some.fresh();
    let text = String::from_utf8([first, part(&mut some, 1, (false, true))].concat()).unwrap();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (read["@odata.count"].as_u64(), read["value"].as_array().unwrap().len()),
        (Some(7), 3)
    );
    assert_eq!(read["@odata.nextLink"], "http://x/next");
}

#[test]
fn a_part_has_room_for_as_much_as_the_one_before() {
    let mut rows = rows();
    part(&mut rows, 1_000, (true, false));
    let mut rows = rows.fresh();
    let room = (rows.out.as_ptr(), rows.out.capacity());
    let second = part(&mut rows, 1_010, (false, false));
    assert_eq!((second.as_ptr(), second.capacity()), room, "neither grown nor copied");
}

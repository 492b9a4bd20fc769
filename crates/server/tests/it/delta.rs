//! Change tracking: everything once, then what changes, and nothing is missed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", target).bearer(&world.writer()))
}

fn create(world: &World, number: usize) -> String {
    let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
    let reply = world.send(&request);
    assert_eq!(reply.status, 201, "{reply}");
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn change(world: &World, id: &str, teams: usize) {
    let body = format!("{{\"teams\":{teams}}}");
    let request = ask("PATCH", &format!("{COLLECTION}/{id}")).bearer(&world.writer()).json(body);
    assert_eq!(world.send(&request).status, 200);
}

fn delete(world: &World, id: &str) {
    let request = ask("DELETE", &format!("{COLLECTION}/{id}")).bearer(&world.writer());
    assert_eq!(world.send(&request).status, 204);
}

fn link(reply: &Reply, name: &str) -> Option<String> {
    let link = reply.json()[name].as_str()?.to_owned();
    Some(link.strip_prefix("http://rollcall.test").expect("an absolute link").to_owned())
}

fn delta_link(reply: &Reply) -> String {
    link(reply, "@odata.deltaLink").unwrap_or_else(|| panic!("{reply}"))
}

/// Reads to the end of the round; gives what was told, and where the next begins.
fn round(world: &World, target: &str) -> (Vec<Json>, String) {
    let (mut told, mut target) = (Vec::new(), target.to_owned());
    loop {
        let reply = get(world, &target);
        assert_eq!(reply.status, 200, "{target}\n{reply}");
        let page = reply.json();
        told.extend(page["value"].as_array().unwrap().iter().cloned());
        let next = link(&reply, "@odata.nextLink");
        assert!(next.is_some() != page.get("@odata.deltaLink").is_some(), "{reply}");
        match next {
            Some(next) => target = next,
            None => return (told, delta_link(&reply)),
        }
    }
}

/// What was told, in short: the number of teams, or why it is told of no more.
fn short(told: &[Json]) -> Vec<String> {
    let one = |one: &Json| match one["@removed"]["reason"].as_str() {
        Some(reason) => reason.to_owned(),
        None => one["teams"].to_string(),
    };
    told.iter().map(one).collect()
}

pub fn everything_once_and_then_what_changes(world: &World) {
    let ids: Vec<String> = (0..7).map(|number| create(world, number)).collect();
    let first = get(world, &format!("{COLLECTION}/delta"));
    insta::assert_snapshot!("first_page", first);
    let last = get(world, &link(&first, "@odata.nextLink").unwrap());
    insta::assert_snapshot!("last_page", last);
    change(world, &ids[1], 90);
    change(world, &ids[1], 91);
    delete(world, &ids[2]);
    create(world, 7);
    let changes = get(world, &delta_link(&last));
    insta::assert_snapshot!("changes", changes);
    let nothing = get(world, &delta_link(&changes));
    insta::assert_snapshot!("no_changes", nothing);
    assert_eq!(delta_link(&nothing), delta_link(&changes), "nothing has happened in between");
    let again = round(world, &delta_link(&last));
    assert_eq!(short(&again.0), ["91", "deleted", "7"], "a link holds as often as it is followed");
    let head = world.send(&ask("HEAD", &delta_link(&last)).bearer(&world.writer()));
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), changes.header("content-length"));
}

pub fn what_is_made_of_objects_cannot_be_tracked(world: &World) {
    create(world, 0);
    for apply in ["aggregate(teams%20with%20sum%20as%20s)", "filter(teams%20ge%200)"] {
        let request = ask("GET", &format!("{COLLECTION}?$apply={apply}"));
        let request = request.bearer(&world.writer()).header("Prefer", "track-changes");
        let reply = world.send(&request);
        assert_eq!((reply.status, reply.header("preference-applied")), (200, None), "{reply}");
        assert!(reply.json().get("@odata.deltaLink").is_none(), "{reply}");
    }
}

pub fn each_spelling_of_the_function(world: &World) {
    create(world, 0);
    for path in ["delta", "DELTA()", "microsoft.graph.delta", "Microsoft.Graph.delta()"] {
        for place in [COLLECTION, "/beta/office365ActiveUserCounts"] {
            for query in ["", "?$deltatoken=", "?deltaToken=", "?%24deltatoken="] {
                let reply = get(world, &format!("{place}/{path}{query}"));
                assert_eq!(reply.status, 200, "{path}\n{reply}");
                assert!(delta_link(&reply).starts_with(&format!("{place}/delta?$deltatoken=")));
            }
        }
    }
    let write = ask("POST", &format!("{COLLECTION}/delta")).bearer(&world.writer()).json(fact(1));
    assert_eq!(world.send(&write).status, 405);
}

pub fn a_list_can_be_tracked(world: &World) {
    let ids: Vec<String> = (0..7).map(|number| create(world, number)).collect();
    let list = |query: &str, prefer: &str| {
        let request = ask("GET", &format!("{COLLECTION}{query}")).bearer(&world.writer());
        world.send(&request.header("Prefer", prefer))
    };
    let first = list(
        "?$orderby=teams desc&$count=true".replace(' ', "%20").as_str(),
        "odata.track-changes, maxpagesize=4",
    );
    assert_eq!(first.header("preference-applied"), Some("odata.track-changes, maxpagesize=4"));
    assert_eq!(first.json()["@odata.count"], 7);
    let (rest, next) = round(world, &link(&first, "@odata.nextLink").unwrap());
    let told = [first.json()["value"].as_array().unwrap().as_slice(), &rest].concat();
    assert_eq!(short(&told), ["6", "5", "4", "3", "2", "1", "0"]);
    delete(world, &ids[4]);
    change(world, &ids[0], 70);
    let (told, _) = round(world, &next);
    assert_eq!(short(&told), ["deleted", "70"], "changes come in their own order");
    let whole = list("", "track-changes");
    assert_eq!(whole.header("preference-applied"), Some("track-changes"));
    for part in ["?$top=2", "?$skip=1"] {
        let reply = list(part, "track-changes");
        assert_eq!((reply.status, reply.header("preference-applied")), (200, None), "{part}");
        assert!(reply.json().get("@odata.deltaLink").is_none(), "a part cannot be tracked");
    }
}

pub fn links_hold_filter_and_selection(world: &World) {
    let ids: Vec<String> = (0..4).map(|number| create(world, number)).collect();
    let query = "$filter=teams lt @most&$select=yammer,twice&$compute=teams mul 2 as twice&@most=3";
    let (told, next) = round(world, &format!("{COLLECTION}/delta?{}", query.replace(' ', "%20")));
    let twice = |told: &[Json]| told.iter().map(|one| one["twice"].clone()).collect::<Vec<_>>();
    assert_eq!(twice(&told).len(), 3);
    assert!(told.iter().all(|one| one.get("id").is_some() && one.get("teams").is_none()));
    for (number, teams) in [(0, 9), (1, 2), (3, 1)] {
        change(world, &ids[number], teams);
    }
    create(world, 10);
    delete(world, &ids[2]);
    let reply = get(world, &next);
    let context = reply.json()["@odata.context"].as_str().unwrap().to_owned();
    assert!(context.ends_with("#office365ActiveUserCounts(id,yammer,twice)/$delta"), "{context}");
    let (told, next) = round(world, &next);
    let lines: Vec<String> = told.iter().map(Json::to_string).collect();
    let mut shown = lines.join("\n");
    for (number, id) in ids.iter().enumerate() {
        shown = shown.replace(id, &format!("ID {number}"));
    }
    insta::assert_snapshot!("filtered_changes", shown);
    for more in ["&$filter=teams eq 1", "&$top=1", "&$select=teams"] {
        let reply = get(world, &format!("{next}{}", more.replace(' ', "%20")));
        assert!([400, 501].contains(&reply.status), "{reply}");
    }
}

pub fn from_now_on(world: &World) {
    create(world, 0);
    let target = format!("{COLLECTION}/delta?$select=teams&$deltatoken=latest");
    let (told, next) = round(world, &target);
    assert_eq!(told, Vec::<Json>::new());
    let id = create(world, 1);
    let (told, _) = round(world, &next);
    assert_eq!(short(&told), ["1"]);
    assert_eq!((told[0]["id"].as_str(), told[0].get("yammer")), (Some(id.as_str()), None));
}

pub fn a_link_that_leads_nowhere_is_gone(world: &World) {
    create(world, 0);
    let next = round(world, &format!("{COLLECTION}/delta")).1;
    let token = next.split('=').nth(1).unwrap();
    insta::assert_snapshot!("gone", get(world, &format!("{COLLECTION}/delta?$deltatoken=x")));
    let theirs = world.send(&ask("GET", &next).bearer(&world.writer_of(2)));
    assert_eq!((theirs.status, theirs.code().as_str()), (410, "syncStateNotFound"), "{theirs}");
    for end in 1..token.len() {
        let reply = get(world, &format!("{COLLECTION}/delta?$skiptoken={}", &token[..end]));
        assert_eq!(reply.status, 410, "{reply}");
    }
    // The same tenant in another database, where a change of that number is another's.
    let other = world.fresh();
    other.advance(1);
    for query in ["", "$select=teams&$filter=teams lt 5"] {
        let query = query.replace(' ', "%20");
        let ours = round(world, &format!("{COLLECTION}/delta?{query}")).1;
        let reply = get(&other, &ours);
        assert_eq!((reply.status, reply.code().as_str()), (410, "syncStateNotFound"), "{reply}");
        let again = reply.header("location").unwrap().replace("http://rollcall.test", "");
        assert_eq!(get(&other, &again).status, 200, "{again}");
        create(&other, query.len());
        assert_eq!(get(&other, &ours).status, 410);
    }
    for query in ["$orderby=teams", "$top=5", "$skip=1", "$count=true", "$expand=*"] {
        let reply = get(world, &format!("{COLLECTION}/delta?{query}"));
        assert_eq!(reply.status, 400, "{query}");
    }
}

/// What a client has learnt, by id.
#[derive(Default)]
struct Known(BTreeMap<String, Json>);

impl Known {
    fn learn(&mut self, told: Vec<Json>) {
        for mut one in told {
            let id = one["id"].as_str().unwrap().to_owned();
            one.as_object_mut().unwrap().remove("@odata.etag");
            match one.get("@removed") {
                Some(_) => drop(self.0.remove(&id)),
                None => drop(self.0.insert(id, one)),
            }
        }
    }
}

fn listed(world: &World, query: &str) -> BTreeMap<String, Json> {
    let mut all = Known::default();
    let mut target = Some(format!("{COLLECTION}?{query}"));
    while let Some(one) = target {
        let reply = get(world, &one);
        all.learn(reply.json()["value"].as_array().unwrap().clone());
        target = link(&reply, "@odata.nextLink");
    }
    all.0
}

pub fn who_follows_the_links_ends_with_what_is_there(world: &World) {
    let writing = AtomicUsize::new(3);
    let write = |writer: usize| {
        for step in 0..24 {
            let id = create(world, writer * 100 + step);
            change(world, &id, step * 7 % 20);
            if step % 3 == 0 {
                delete(world, &id);
            }
        }
        writing.fetch_sub(1, Ordering::SeqCst);
    };
    let follow = |query: &str| {
        let mut known = Known::default();
        let mut target = format!("{COLLECTION}/delta?{query}");
        loop {
            let last = writing.load(Ordering::SeqCst) == 0;
            let (told, next) = round(world, &target);
            known.learn(told);
            target = next;
            if last {
                return known.0;
            }
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..3 {
            scope.spawn(move || write(writer));
        }
        let readers = ["", "$filter=teams%20lt%2010&$select=id,teams"]
            .map(|query| (query, scope.spawn(move || follow(query))));
        for (query, reader) in readers {
            assert_eq!(reader.join().unwrap(), listed(world, query), "{query}");
        }
    });
}

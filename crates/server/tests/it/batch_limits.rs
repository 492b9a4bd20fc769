//! The limits on batches: in time, and in memory over all of them.

use std::time::Duration;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

fn batch(world: &World, requests: &[Json]) -> Ask {
    let body = json!({ "requests": requests }).to_string();
    ask("POST", "/v1.0/$batch").bearer(&world.writer()).json(body)
}

fn create(number: usize) -> Json {
    json!({
        "id": number.to_string(),
        "method": "POST",
        "url": "office365ActiveUserCounts",
        "headers": { "Content-Type": "application/json" },
        "body": serde_json::from_str::<Json>(&fact(number)).unwrap(),
    })
}

fn list(id: &str) -> Json {
    json!({ "id": id, "method": "GET", "url": "office365ActiveUserCounts" })
}

fn answers(reply: &Reply) -> Vec<Json> {
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["responses"].as_array().unwrap().clone()
}

fn statuses(answers: &[Json]) -> Vec<u64> {
    answers.iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

#[test]
fn what_would_begin_after_the_batch_s_time_is_not_done() {
    let world = World::with_limits(|limits| limits.batch_time = Duration::ZERO);
    let mut late = create(3);
    late["dependsOn"] = json!(["0"]);
    let reply = world.send(&batch(&world, &[create(0), list("1"), late]));
    assert_eq!(statuses(&answers(&reply)), [503, 503, 424], "{reply}");
    let one = &answers(&reply)[0];
    assert_eq!(one["headers"]["Retry-After"], "1");
    insta::assert_snapshot!("batch_late", one["body"]["error"]["message"].as_str().unwrap());
    // A group is not begun, or done whole.
    let grouped: Vec<Json> = (0..2)
        .map(|number| {
            let mut request = create(number);
            request["atomicityGroup"] = json!("g");
            request
        })
        .collect();
    assert_eq!(statuses(&answers(&world.send(&batch(&world, &grouped)))), [503, 424]);
    assert_eq!(count(&world), "0");
}

/// Time goes on while the batch is done: the first of it are, the others are not;
/// sent again under its name, what was done is told as before.
#[test]
fn what_began_in_time_is_done_and_remembered() {
    let world = World::ticking(Duration::from_millis(1), |limits| {
        limits.batch_time = Duration::from_millis(60);
    });
    // A read before each write, so that none of them are done together.
    let requests: Vec<Json> =
        (0..10).flat_map(|number| [list(&format!("r{number}")), create(number)]).collect();
    let send = || {
        let request = batch(&world, &requests)
            .header("Repeatability-Request-ID", "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda")
            .header("Repeatability-First-Sent", "Tue, 24 Nov 2026 12:00:00 GMT");
        statuses(&answers(&world.send(&request)))
    };
    let first = send();
    let done = first.iter().take_while(|status| **status != 503).count();
    assert!((1..20).contains(&done), "{first:?}");
    assert!(first[done..].iter().all(|status| *status == 503), "{first:?}");
    assert_eq!(count(&world), (done / 2).to_string());
    assert_eq!(send(), first);
    assert_eq!(count(&world), (done / 2).to_string());
}

#[test]
fn all_batches_together_have_room_for_so_many_answers() {
    let world = World::with_limits(|limits| limits.batch_total_bytes = 4000);
    let creates: Vec<Json> = (0..5).map(create).collect();
    // Writes are done and told in any case.
    let told = answers(&world.send(&batch(&world, &creates)));
    assert_eq!(statuses(&told), [201; 5]);
    let first = |number: usize| {
        let mut list = list(&number.to_string());
        list["url"] = json!("office365ActiveUserCounts?$top=1");
        list
    };
    let many: Vec<Json> = (0..5).map(first).collect();
    let mut others = world.batch_room.place(Uuid::from_u128(1));
    others.hold(2000).unwrap();
    let reply = world.send(&batch(&world, &many));
    let told = answers(&reply);
    let fitting = statuses(&told).iter().take_while(|status| **status == 200).count();
    assert!((1..5).contains(&fitting), "{reply}");
    assert!(statuses(&told)[fitting..].iter().all(|status| *status == 503), "{reply}");
    assert_eq!(told[fitting]["headers"]["Retry-After"], "1");
    let message = told[fitting]["body"]["error"]["message"].as_str().unwrap();
    assert!(message.contains("batch-total-bytes"), "{message}");
    // Once it has been sent its room is others'.
    for _ in 0..3 {
        let again = answers(&world.send(&batch(&world, &many)));
        assert_eq!(statuses(&again), statuses(&told));
    }
    // What would never find room is told otherwise.
    drop(others);
    let many: Vec<Json> = (0..9).map(|number| list(&number.to_string())).collect();
    let told = answers(&world.send(&batch(&world, &many)));
    let fitting = statuses(&told).iter().take_while(|status| **status == 200).count();
    assert!(statuses(&told)[fitting..].iter().all(|status| *status == 400), "{told:?}");
    let message = told[fitting]["body"]["error"]["message"].as_str().unwrap();
    let part =
        "more than 3000 bytes, as much of 4000 as one tenant may: the limit batch-total-bytes";
    assert!(message.contains(part), "{message}");
}

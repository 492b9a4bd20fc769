//! Writes that are done together: all of them or none, and no neighbour notices.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rollcall_odata::Row;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::Write;
use rollcall_store::{Error, Failed, Written};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::random::{Naive, Step, kept_refresh, plan_of, steps};
use crate::support::*;

/// Steps of one tenant, alone or in a group.
#[derive(Debug, Clone)]
struct Task {
    second: bool,
    steps: Vec<Step>,
    group: bool,
}

type Outcome = Result<Vec<Written>, Failed>;

/// Several tasks that are queued before any of them is answered.
fn rounds() -> impl Strategy<Value = Vec<Vec<Task>>> {
    let task =
        (any::<bool>(), steps(), 1..6_usize, 0..4_u8).prop_map(|(second, steps, most, one)| {
            let group = one > 0;
            let steps = steps.into_iter().map(|(_, step)| step);
            Task { second, steps: steps.take(if group { most } else { 1 }).collect(), group }
        });
    prop::collection::vec(prop::collection::vec(task, 1..6), 1..6)
}

fn tenant(task: &Task) -> Uuid {
    if task.second { TWO } else { ONE }
}

/// What a task should do: nothing at all where a step of it is refused.
fn expect(naive: &mut Naive, set: &EntitySet, task: &Task) -> Outcome {
    let before = naive.clone();
    let mut written = Vec::new();
    for (at, step) in task.steps.iter().enumerate() {
        match naive.expect(set, step) {
            Ok(one) => written.push(one),
            Err(error) => {
                let alone = before.clone().expect(set, step).as_ref() == Err(&error);
                *naive = before;
                return Err(Failed { at, error, alone });
            }
        }
    }
    Ok(written)
}

/// Queues a task. On a runtime of one thread tasks begin in the order of their spawning.
fn queue(house: &House, set: &Arc<EntitySet>, task: &Task) -> JoinHandle<Outcome> {
    let (store, author) = (house.store.clone(), author(tenant(task)));
    let mut plans: Vec<Write> = task.steps.iter().map(|step| plan_of(set, step)).collect();
    let group = task.group;
    tokio::spawn(async move {
        if group {
            return store.write_all(author, plans).await;
        }
        let written = store.write(author, plans.remove(0)).await;
        written.map(|one| vec![one]).map_err(|error| Failed { at: 0, error, alone: true })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn groups_are_whole_or_absent_and_their_neighbours_whole(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let house = House::new();
        let set = house.counts();
        let mut naive: BTreeMap<Uuid, Naive> = BTreeMap::new();
        for round in &rounds {
            let outcomes: Vec<Outcome> = runtime.block_on(async {
                let queued: Vec<_> = round.iter().map(|task| queue(&house, &set, task)).collect();
                let mut outcomes = Vec::new();
                for one in queued {
                    outcomes.push(one.await.unwrap());
                }
                outcomes
            });
            for (task, outcome) in round.iter().zip(outcomes) {
                let expected = expect(naive.entry(tenant(task)).or_default(), &set, task);
                prop_assert_eq!(outcome, expected, "{:?}", task);
            }
        }
        for (tenant, one) in &naive {
            prop_assert_eq!(kept_refresh(&house, *tenant), one.refresh(&set));
            let (_, mut kept) = runtime.block_on(house.list(*tenant, all(&set)));
            kept.sort_by_key(|(version, _)| *version);
            let there = one.entities.values();
            let mut there: Vec<(u64, Row)> =
                there.map(|entity| (entity.version, entity.row.clone())).collect();
            there.sort_by_key(|(version, _)| *version);
            prop_assert_eq!(kept, there);
        }
        house.is_sound();
    }
}

#[tokio::test]
async fn nothing_is_a_group_as_well() {
    let house = House::new();
    assert_eq!(house.store.write_all(author(ONE), Vec::new()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_closed_store_says_so_to_a_group() {
    let house = House::new();
    let store = house.store.clone();
    tokio::task::spawn_blocking(|| store.close()).await.unwrap();
    let plans = vec![plan_of(&house.counts(), &Step::Delete { key: 1 })];
    let outcome = house.store.write_all(author(ONE), plans).await;
    assert_eq!(outcome, Err(Failed { at: 0, error: Error::Closed, alone: true }));
}

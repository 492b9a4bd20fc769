//! The null engine, under `--cfg rollcall_bench` alone: a create is answered as
//! done at once, without a queue, a thread or a disk. What the service costs
//! beside its store is then what a bench measures. Everything else is as ever.

use rollcall_odata::plan::Create;

use crate::{Entity, Written};

/// What a create would answer if it cost nothing.
pub(crate) fn create(plan: Create) -> Written {
    Written::Created(Entity { version: 1, row: plan.row })
}

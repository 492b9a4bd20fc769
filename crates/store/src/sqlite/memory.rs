//! What the writer remembers between writes, so that it need not look it up or
//! say it again. It holds what the open transaction did, and is forgotten with it.

use std::collections::HashMap;

use rusqlite::Connection;
use uuid::Uuid;

use crate::sql;

/// What is remembered of tenants.
#[derive(Default)]
pub(super) struct Tenants {
    known: HashMap<Uuid, Tenant>,
    /// What `refresh` has not been told yet, by tenant and data set: one
    /// statement says it of all rows of a transaction.
    news: HashMap<(i64, i64), News>,
}

/// A tenant that has written.
#[derive(Clone, Copy)]
pub(super) struct Tenant {
    pub number: i64,
    /// The number of its last change.
    pub last_change: i64,
}

impl Tenants {
    /// What is remembered of this one.
    pub fn get(&self, guid: &Uuid) -> Option<&Tenant> {
        self.known.get(guid)
    }

    /// Remembers this of it.
    pub fn insert(&mut self, guid: Uuid, tenant: Tenant) {
        self.known.insert(guid, tenant);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known.clear();
        self.news.clear();
    }

    /// What was done since a savepoint is undone; before it, this was
    /// remembered of the tenant that did it, and `refresh` was told all.
    pub fn go_back(&mut self, guid: Uuid, before: Option<Tenant>) {
        self.news.clear();
        match before {
            Some(tenant) => self.known.insert(guid, tenant),
            None => self.known.remove(&guid),
        };
    }

    /// What `refresh` is to learn of the rows of this tenant and data set.
    pub fn news(&mut self, tenant: i64, data_set: i64) -> &mut News {
        self.news.entry((tenant, data_set)).or_default()
    }

    /// Tells `refresh` what it has not been told yet: before it is read, before
    /// a savepoint, and before the transaction ends.
    pub fn tell(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.news.is_empty() {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(sql::REFRESH_ENTER)?;
        for ((tenant, set), news) in self.news.drain() {
            let News { any, refreshed, period, first, last } = news;
            if !any {
                continue;
            }
            statement.execute((tenant, set, refreshed, period, first, last))?;
        }
        Ok(())
    }
}

/// What `refresh` is to learn of rows that have come.
#[derive(Clone, Copy, Default)]
pub(super) struct News {
    /// Whether there are any; of some types they say nothing else.
    any: bool,
    refreshed: Option<i64>,
    /// The longest period of that refresh date.
    period: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
}

impl News {
    /// A row has come: its refresh date, period and date.
    pub fn row(&mut self, [refreshed, period, date]: [Option<i64>; 3]) {
        self.any = true;
        if refreshed.is_some() && refreshed >= self.refreshed {
            let before = self.period.filter(|_| refreshed == self.refreshed);
            (self.refreshed, self.period) = (refreshed, period.max(before));
        }
        self.last = self.last.max(date);
        self.first = self.first.into_iter().chain(date).min();
    }

    /// What else has come.
    pub fn add(&mut self, others: Self) {
        if !others.any {
            return;
        }
        self.row([others.refreshed, others.period, others.first]);
        self.row([None, None, others.last]);
    }
}

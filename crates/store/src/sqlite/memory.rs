//! What the writer remembers between writes, so that it need not look it up or
//! say it again. It holds what the open transaction did, and is forgotten with it.

use std::collections::HashMap;

use uuid::Uuid;

use super::statements::Statements;
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

/// What was remembered at a savepoint.
pub(super) struct Before {
    guid: Uuid,
    tenant: Option<Tenant>,
    news: HashMap<(i64, i64), News>,
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

    /// What `go_back` takes after a savepoint in which this tenant alone writes.
    pub fn before(&self, guid: Uuid) -> Before {
        Before { guid, tenant: self.get(&guid).copied(), news: self.news.clone() }
    }

    /// What was done since a savepoint is undone. What `refresh` was told since
    /// is undone with it, and will be told again where it was of before.
    pub fn go_back(&mut self, before: Before) {
        let Before { guid, tenant, news } = before;
        self.news = news;
        match tenant {
            Some(tenant) => self.known.insert(guid, tenant),
            None => self.known.remove(&guid),
        };
    }

    /// What `refresh` is to learn of the rows of this tenant and data set.
    pub fn news(&mut self, tenant: i64, data_set: i64) -> &mut News {
        self.news.entry((tenant, data_set)).or_default()
    }

    /// Tells `refresh` what it has not been told yet: before it is read, and
    /// before the transaction ends.
    pub fn tell(&mut self, connection: &Statements<'_>) -> rusqlite::Result<()> {
        for ((tenant, set), news) in self.news.drain() {
            let News { refreshed, period, first, last } = news;
            let values = (tenant, set, refreshed, period, first, last);
            connection.run(sql::REFRESH_ENTER, values)?;
        }
        Ok(())
    }
}

/// What `refresh` is to learn of rows that have come: one at least, though of
/// some types it says nothing more.
#[derive(Clone, Copy, Default)]
pub(super) struct News {
    refreshed: Option<i64>,
    /// The longest period of that refresh date.
    period: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
}

impl News {
    /// A row has come: its refresh date, period and date.
    pub fn row(&mut self, [refreshed, period, date]: [Option<i64>; 3]) {
        if refreshed.is_some() && refreshed >= self.refreshed {
            let before = self.period.filter(|_| refreshed == self.refreshed);
            (self.refreshed, self.period) = (refreshed, period.max(before));
        }
        self.last = self.last.max(date);
        self.first = self.first.into_iter().chain(date).min();
    }
}

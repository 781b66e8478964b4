//! What it takes to look at an account, for all who do.
//!
//! Only looks.

use std::collections::BTreeMap;

use crate::apollo::{Answer, Contact, Order, SearchPage};
use crate::model::ApolloId;

use super::apply::line::{Failure, Line};
use super::credential::Access;

/// Who can read pages and contacts: the one writer of a state, or somebody who may only look.
pub(super) trait Sees: Sync {
    fn line(&self) -> &Line;

    /// Reads a page of all contacts.
    fn everybody(&self, order: Order, page: u32) -> impl Future<Output = Result<Answer<SearchPage>, Failure>> + Send;

    /// Reads one contact.
    fn view(&self, id: &ApolloId) -> impl Future<Output = Result<Contact, Failure>> + Send;

    /// Reads what the lists are called, by their ids in small letters.
    fn lists(&self) -> impl Future<Output = Result<BTreeMap<String, String>, Failure>> + Send;
}

impl Sees for Access {
    fn line(&self) -> &Line {
        &self.courier
    }

    async fn everybody(&self, order: Order, page: u32) -> Result<Answer<SearchPage>, Failure> {
        Self::everybody(self, order, page).await
    }

    async fn view(&self, id: &ApolloId) -> Result<Contact, Failure> {
        Self::view(self, id).await
    }

    async fn lists(&self) -> Result<BTreeMap<String, String>, Failure> {
        Self::lists(self).await
    }
}

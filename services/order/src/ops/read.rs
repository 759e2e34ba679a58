//! Reading orders.

use kontor_types::ids::{OrderId, UserId};

use super::{Error, Orders};
use crate::domain::order::Order;
use crate::store;

impl Orders {
    /// One order, if the caller may see it: its buyer, who may read all orders, or, if a guest bought, whoever knows its id.
    pub async fn get_order(&self, id: OrderId, user: Option<UserId>, may_read_all: bool) -> Result<Order, Error> {
        let order = self.find_order(id).await?;
        let buyer = order.snapshot.user;
        let seen = may_read_all || buyer.is_none() || buyer == user;
        if seen { Ok(order) } else { Err(Error::NotFound(id.to_string())) }
    }

    pub(super) async fn find_order(&self, id: OrderId) -> Result<Order, Error> {
        let mut conn = self.pool.acquire().await?;
        store::orders::find(&mut conn, id).await?.ok_or_else(|| Error::NotFound(id.to_string()))
    }
}

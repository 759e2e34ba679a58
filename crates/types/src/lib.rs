//! Plain types of commerce that several services use: ids, money, pages, clocks. No I/O, no wire types.

pub mod clock;
pub mod ids;
pub mod money;
pub mod page;

pub use clock::{Clock, SystemClock};
pub use money::{Currency, Money, MoneyError};
pub use page::{NameToken, Page, PageSize, PageToken};

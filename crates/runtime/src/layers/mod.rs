//! The layers that every request passes, from the outside in: panics caught, measured, traced, bounded in time, admitted, and run
//! to its end. Each is a [`middleware::Middleware`]; health and reflection pass by all but the first.

mod access;
mod deadline;
mod detach;
mod measure;
mod middleware;
mod panic;
mod trace;
mod until_refused;

pub(crate) use access::Access;
pub(crate) use deadline::Deadline;
pub(crate) use detach::Detach;
pub(crate) use measure::Measure;
pub(crate) use middleware::{Inner, Middleware, MiddlewareLayer, Outcome};
pub(crate) use panic::on_panic;
pub(crate) use trace::Trace;

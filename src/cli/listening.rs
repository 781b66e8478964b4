//! What `watch` answers everybody, at `--listen` and at its socket: health, readiness, metrics and status.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;

use super::Exit;
use super::context::Context;
use super::observer::Observer;
use crate::ops::watch::Board;
use crate::ops::{Clock, Health, Readiness, chain};
use crate::serve::{Answers, Options, Routes, Server};
use crate::store::Footprint;
use crate::ui::json::{StatusDocument, to_json};
use crate::ui::{health_line, readiness_line, telling_line};

/// What a service answers over HTTP.
#[derive(Debug, Args)]
#[command(next_help_heading = "Status over HTTP")]
pub(super) struct ListenArgs {
    /// Answer /healthz, /readyz, /metrics and /status at this address; port 0 lets the system choose
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// Host name that requests may go to, beside localhost and addresses; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) listen_name: Vec<String>,
}

/// Begins to answer where that is asked for; says where.
pub(super) async fn listen(args: &ListenArgs, context: &mut Context, pages: Routes) -> Result<Option<Server>, Exit> {
    let Some(listen) = args.listen else { return Ok(None) };
    if !listen.ip().is_loopback() {
        let detail = "Whoever reaches it can read how the service is doing, keys of failing entries included. Nothing \
                      can be changed there. Listen at 127.0.0.1 where that is enough.";
        context.shell.warning(format!("Other machines can reach the status address {listen}"), detail);
    }
    let server = Server::start(Options { listen, names: args.listen_name.clone() }, pages).await.map_err(|error| {
        let detail = format!("{}. Choose another address with --listen; port 0 lets the system choose.", chain(&error));
        context.shell.error("The status address cannot be used", detail);
        Exit::Failure
    })?;
    context.shell.status(format!("Status at http://{}/", server.address()));
    Ok(Some(server))
}

/// Makes the functions that answer.
pub(super) fn answers(context: &Context, board: &Board, observer: &Arc<Observer>) -> Answers {
    let clock = Clock::system();
    let readiness = move |board: &Board| Readiness::of(&board.read(), clock.now());
    let state = context.locations.state.directory().to_owned();
    let (health_board, ready_board) = (board.clone(), board.clone());
    let (metrics_board, status_board) = (board.clone(), board.clone());
    let (heard, metrics) = (Arc::clone(observer), Arc::clone(observer));
    Answers {
        health: Box::new(move || {
            let health = Health::of(&health_board.read(), heard.last_heard(), clock.now());
            verdict(health == Health::Alive, health_line(health))
        }),
        readiness: Box::new(move || {
            let readiness = readiness(&ready_board);
            let lost = telling_line(&ready_board.read().telling).map(|line| format!(" {line}"));
            verdict(readiness.is_ready(), readiness_line(&readiness) + &lost.unwrap_or_default())
        }),
        metrics: Box::new(move || {
            // A state that is not there yet takes no room.
            let footprint = Footprint::of(&state).ok();
            let is_ready = readiness(&metrics_board).is_ready();
            metrics.metrics().text(&metrics_board.read(), is_ready, footprint)
        }),
        status: Box::new(move || to_json(&StatusDocument::of_service(&status_board.read(), &readiness(&status_board)))),
    }
}

fn verdict(holds: bool, text: String) -> Result<String, String> {
    if holds { Ok(text) } else { Err(text) }
}

//! The pages that `watch` serves at `--listen` and at its socket: the status page, health, readiness, metrics and
//! status.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;

use super::Exit;
use super::context::Context;
use super::observer::Observer;
use crate::ops::watch::{Board, Phase};
use crate::ops::{Clock, Health, Readiness};
use crate::serve::{Answer, Answers, Live, More, Next, Options, Routes, Server};
use crate::shell_word::command;
use crate::store::Footprint;
use crate::ui::json::{StatusDocument, to_json};
use crate::ui::words::service as words;
use crate::ui::{PageFacts, health_line, page, page_part, page_policy, readiness_line, telling_line};

/// What a service answers over HTTP.
#[derive(Debug, Args)]
#[command(next_help_heading = "Status over HTTP")]
pub(super) struct ListenArgs {
    /// Serve a status page at this address, and answer /healthz, /readyz, /metrics and /status;
    /// port 0 lets the system choose
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// Host name that requests may use, besides localhost and IP addresses; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) listen_name: Vec<String>,
}

/// Begins to answer where that is asked for; says where.
pub(super) async fn listen(args: &ListenArgs, context: &mut Context, pages: Routes) -> Result<Option<Server>, Exit> {
    let Some(listen) = args.listen else { return Ok(None) };
    if !listen.ip().is_loopback() {
        context.shell.message(&words::others_can_look(listen));
    }
    let server = Server::start(Options { listen, names: args.listen_name.clone() }, pages)
        .await
        .map_err(|error| context.fail(&words::status_address_unusable(&error)))?;
    context.shell.status(words::status_at(server.address()));
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
        live: live(board, observer, clock),
    }
}

/// Makes what the page for people is made by.
fn live(board: &Board, observer: &Arc<Observer>, clock: Clock) -> Live {
    let made_by = |make: fn(&PageFacts<'_>) -> String| -> Answer<String> {
        let (board, heard) = (board.clone(), Arc::clone(observer));
        // The name of a database holds who reads it; what is shown to everybody names nobody.
        let typed = |verb: &str| match command(verb) {
            whole if whole.contains('@') => format!("contactsd {verb}"),
            whole => whole,
        };
        Box::new(move || {
            let (status, now) = (board.read(), clock.now());
            let health = Health::of(&status, heard.last_heard(), now);
            make(&PageFacts { status: &status, health, now, command: &typed })
        })
    };
    let changing = board.clone();
    let next = move || {
        let mut changes = changing.subscribe();
        let is_ending = |phase| phase == Phase::Ending;
        let more = async move {
            let goes_on = is_ending(changes.borrow().phase) || changes.changed().await.is_ok();
            if goes_on && !is_ending(changes.borrow().phase) { More::Changed } else { More::Ends }
        };
        Box::pin(more) as Next
    };
    Live { page: made_by(page), part: made_by(page_part), next: Box::new(next), policy: page_policy() }
}

fn verdict(holds: bool, text: String) -> Result<String, String> {
    if holds { Ok(text) } else { Err(text) }
}

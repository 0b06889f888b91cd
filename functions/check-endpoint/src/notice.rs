//! The notices about endpoints that a tick sends.

use contracts::endpoints::{Astray, Unread};
use contracts::{Champion, Notice, Severity};

/// The notice that an endpoint does not serve its champion and is being brought back. `answers`: whether it serves
/// anything meanwhile.
pub(crate) fn mending(champion: &Champion, reason: &str, answers: bool) -> Notice {
    let text = if answers {
        "A tick found an endpoint that does not serve its champion: a run was stopped, has died, or could not bring it \
         back. It is being brought back now. Until then, answers of this model may be another's."
    } else {
        "A tick found an endpoint that does not serve at all: it was deleted, has failed, or is out of service. It is \
         being brought back now. Until then this model gives no answers."
    };
    of_champion(
        champion,
        Severity::Warning,
        "is being brought back to its champion",
        text,
    )
    .line("found", reason)
}

/// The notice that an endpoint does not serve its champion and can't be brought back automatically.
pub(crate) fn stuck(champion: &Champion, reason: &str) -> Notice {
    let text = "A tick found an endpoint that does not serve its champion and can't be brought back. Ticks keep trying, and \
                tell you no more of it until something changes.";
    of_champion(champion, Severity::Error, "does not serve its champion", text).line("found", reason)
}

/// The notice that an endpoint serves its champion again.
pub(crate) fn back(champion: &Champion, astray: &Astray) -> Notice {
    let text = "The endpoint serves its champion again.";
    of_champion(champion, Severity::Info, "serves its champion again", text).line("tries", astray.tries)
}

/// The notice that an endpoint is no longer used.
pub(crate) fn unread(name: &str, unread: &Unread) -> Notice {
    let text = "No champion of a model in the document is served by this endpoint: the schema has changed, the model or use \
                case was removed, its run exported nothing, or a new endpoint has taken its place. It is deleted at the time \
                below, unless a champion names it again.";
    let headline = format!("{}: an endpoint that nobody reads", unread.model);
    Notice::new(&unread.use_case, Severity::Info, &headline, text)
        .line("model", &unread.model)
        .line("endpoint", name)
        .line("deleted at", unread.until())
}

/// The notice that an unused endpoint was deleted.
pub(crate) fn retired(name: &str, unread: &Unread) -> Notice {
    let text = "An endpoint that nobody reads was deleted, with its scaling. Its configuration and its model are kept.";
    let headline = format!("{}: an endpoint was retired", unread.model);
    Notice::new(&unread.use_case, Severity::Info, &headline, text)
        .line("model", &unread.model)
        .line("endpoint", name)
        .line("unread since", unread.since)
}

fn of_champion(champion: &Champion, severity: Severity, headline: &str, text: &str) -> Notice {
    let headline = format!("{}: the endpoint {headline}", champion.model);
    Notice::new(&champion.use_case, severity, &headline, text)
        .line("model", &champion.model)
        .line("champion", &champion.run_id)
        .line("endpoint", &champion.endpoint_name)
        .line("configuration", &champion.endpoint_config)
}

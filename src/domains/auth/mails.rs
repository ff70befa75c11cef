//! What people are told by mail. Links name the configured host only, and carry their token in the fragment, which browsers send
//! to nobody.

use crate::common::Secret;
use crate::domains::users::Email;
use crate::infrastructure::mail::Message;

pub(super) fn password_reset(email: &Email, public_url: &str, token: &Secret<String>, seconds: u64) -> Message {
    let (link, life) = (link(public_url, "reset-password", token), duration(seconds));
    let text = format!(
        "Somebody, hopefully you, asked for a new password for {address} at {public_url}.\n\nSet it here:\n{link}\n\n\
         The link works once, for {life}. If you did not ask for it, do nothing: your password stays as it is.\n",
        address = email.as_str(),
    );
    Message::new(email.as_str(), "Set a new password", text)
}

pub(super) fn password_changed(email: &Email) -> Message {
    let text = format!(
        "The password of {} was changed, and every other login was ended.\n\nIf this was not you, set a new password at \
         once and tell the administrator of your server.\n",
        email.as_str()
    );
    Message::new(email.as_str(), "Your password was changed", text)
}

pub(super) fn verification(email: &Email, public_url: &str, token: &Secret<String>, seconds: u64) -> Message {
    let (link, life) = (link(public_url, "verify-email", token), duration(seconds));
    let text = format!(
        "Welcome. Please show that {address} is your address, to sign in at {public_url}:\n{link}\n\n\
         The link works once, for {life}. If you did not register there, do nothing.\n",
        address = email.as_str(),
    );
    Message::new(email.as_str(), "Verify your address", text)
}

pub(super) fn account_exists(email: &Email, public_url: &str) -> Message {
    let text = format!(
        "Somebody, hopefully you, tried to register {address} at {public_url}, where it has an account already.\n\n\
         Sign in with it, or ask for a new password if you do not know it. If this was not you, do nothing.\n",
        address = email.as_str(),
    );
    Message::new(email.as_str(), "You have an account already", text)
}

pub(super) fn second_factor_changed(email: &Email, active: bool) -> Message {
    let (subject, what) = if active {
        ("Two-factor sign-in is on", "From now on signing in needs a code of your authenticator, too.")
    } else {
        ("Two-factor sign-in is off", "From now on signing in needs your password only.")
    };
    let text = format!("{what}\n\nIf this was not you, set a new password for {} at once.\n", email.as_str());
    Message::new(email.as_str(), subject, text)
}

fn link(public_url: &str, page: &str, token: &Secret<String>) -> String {
    format!("{public_url}/account/{page}#token={}", token.expose())
}

fn duration(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes / 60) }
}

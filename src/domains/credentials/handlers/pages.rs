//! The few pages that browsers see: plain, without scripts, never cached, and with nothing of theirs unescaped.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};

use super::super::registry::{Field, FieldKind};
use super::super::sessions::Invitation;
use crate::common::{FieldError, Problem};

const STYLE: &str = "body{font:16px system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#222}\
    label{display:block;margin:1rem 0 .25rem}input,select{width:100%;padding:.5rem;box-sizing:border-box}\
    button{margin-top:1.5rem;padding:.6rem 1.4rem}.mistake{color:#a00}code{background:#eee;padding:.1rem .3rem}";

/// The account is connected.
pub(super) fn connected(name: &str) -> HttpResponse {
    let what = if name.is_empty() { "The account".to_owned() } else { format!("<b>{}</b>", escaped(name)) };
    page(StatusCode::OK, "Connected", &format!("<p>{what} is connected. You can close this window.</p>"))
}

/// It did not work out.
pub(super) fn failed(problem: &Problem) -> HttpResponse {
    let detail = escaped(problem.detail.as_deref().unwrap_or("Try again later."));
    let body = format!("<p>{detail}</p><p>Code: <code>{}</code></p>", problem.code.code);
    page(problem.code.kind.status(), problem.code.title, &body)
}

/// What somebody is invited to, with the mistakes of what they entered.
pub(super) fn invitation(invitation: &Invitation, mistakes: &[FieldError]) -> HttpResponse {
    match invitation {
        Invitation::Consent { name, kind } => {
            let text = format!(
                "<p>You are asked to connect <b>{}</b> ({}). You will be sent there to agree.</p>\
                 <form method=\"post\"><button>Connect</button></form>",
                escaped(name),
                escaped(&kind.display_name)
            );
            page(StatusCode::OK, "Connect an account", &text)
        }
        Invitation::Enter { name, kind, given } => {
            let mut form =
                format!("<p>You are asked for the access to <b>{}</b>.</p><form method=\"post\">", escaped(name));
            for field in kind.fields.iter().filter(|field| !field.hidden && !given.contains(&field.name)) {
                let pointer = format!("/data/{}", field.name);
                let mistake = mistakes.iter().find(|mistake| mistake.pointer == pointer);
                push_field(&mut form, field, mistake);
            }
            form.push_str("<button>Connect</button></form>");
            let status = if mistakes.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            page(status, "Connect an account", &form)
        }
    }
}

fn push_field(form: &mut String, field: &Field, mistake: Option<&FieldError>) {
    let (name, label) = (escaped(&field.name), escaped(&field.label()));
    let default = field.default.as_str().map_or_else(|| field.default.to_string(), str::to_owned);
    let default = if field.default.is_null() { String::new() } else { escaped(&default) };
    let input = match field.kind {
        FieldKind::Options => {
            let options: String =
                field.options.iter().map(|option| format!("<option>{}</option>", escaped(option))).collect();
            format!("<select id=\"{name}\" name=\"{name}\">{options}</select>")
        }
        FieldKind::Boolean => format!(
            "<select id=\"{name}\" name=\"{name}\"><option value=\"\">{default}</option><option>true</option><option>false</option></select>"
        ),
        _ if field.secret => format!("<input id=\"{name}\" name=\"{name}\" type=\"password\" autocomplete=\"off\">"),
        _ => format!("<input id=\"{name}\" name=\"{name}\" placeholder=\"{default}\">"),
    };
    form.push_str(&format!("<label for=\"{name}\">{label}</label>{input}"));
    if let Some(mistake) = mistake {
        form.push_str(&format!("<div class=\"mistake\">{}</div>", escaped(&mistake.message)));
    }
}

fn page(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{body}</body></html>"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ))
        .body(html)
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

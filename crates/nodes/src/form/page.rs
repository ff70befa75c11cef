//! The pages of a form. Everything that comes from people is escaped; the pages run no scripts.

use std::fmt::Write as _;

use millrace_model::Object;

use super::{Field, FieldError, File, Form, Kind};

/// The input that says what a submission belongs to.
pub const TICKET: &str = "form-page";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#fbfcfe;color:#222;margin:0}\
main{max-width:28rem;margin:2rem auto;padding:2rem;background:#fff;border:1px solid #dbdfe7;border-radius:8px}\
h1{font-size:1.3rem;text-align:center}p{white-space:pre-line}label,legend{display:block;font-weight:600;margin-top:1rem}\
input:not([type=checkbox]):not([type=radio]),textarea,select{box-sizing:border-box;width:100%;padding:.6rem;\
border:1px solid #dbdfe7;border-radius:6px;font:inherit}fieldset{border:0;padding:0;margin:0}fieldset label{font-weight:400;\
margin:0}button{width:100%;margin-top:1.5rem;padding:.8rem;border:0;border-radius:6px;background:#ff6d5a;color:#fff;font:inherit}\
.error{color:#c00;font-size:.9rem}";

/// How a form is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page<'a> {
    /// What was wrong with the last submission.
    pub errors: &'a [FieldError],
    /// Values to begin with, by the names of the fields.
    pub filled: Option<&'a Object>,
    /// What the submission says it belongs to.
    pub ticket: Option<&'a str>,
}

/// The form, with what was wrong with the last submission beside each field.
pub fn form_page(form: &Form, shown: Page<'_>) -> String {
    let mut body = format!("<h1>{}</h1>", escape(&form.title));
    if !form.description.is_empty() {
        let _ = write!(body, "<p>{}</p>", escape(&form.description));
    }
    body.push_str("<form method=\"post\" enctype=\"multipart/form-data\">");
    if let Some(ticket) = shown.ticket {
        let _ = write!(body, "<input type=\"hidden\" name=\"{TICKET}\" value=\"{}\">", escape(ticket));
    }
    for (at, field) in form.fields.iter().enumerate() {
        let filled = shown.filled.and_then(|filled| filled.get(field.target())).filter(|_| field.kind.is_typed());
        match filled {
            Some(value) => input(&mut body, at, &Field { value: value.to_js_string(), ..field.clone() }),
            None => input(&mut body, at, field),
        }
        for error in shown.errors.iter().filter(|error| error.field == at) {
            let (name, message) = (escape(&field.label), escape(&error.message));
            let _ = write!(body, "<div class=\"error\" role=\"alert\">{name}: {message}</div>");
        }
    }
    let _ = write!(body, "<button type=\"submit\">{}</button></form>", escape(&form.button));
    page(&form.title, &body)
}

/// What is shown when all is done.
pub fn completion_page(title: &str, text: &str) -> String {
    page(title, &format!("<h1>{}</h1><p>{}</p>", escape(title), escape(text)))
}

/// The end of a form with a file to take along.
pub fn ending_page(title: &str, message: &str, file: Option<&File>) -> String {
    let mut body = format!("<h1>{}</h1><p>{}</p>", escape(title), escape(message));
    if let Some(File { name, media_type, data }) = file {
        let (name, media_type, data) = (escape(name), escape(media_type), escape(data));
        let _ = write!(body, "<p><a download=\"{name}\" href=\"data:{media_type};base64,{data}\">{name}</a></p>");
    }
    page(title, &body)
}

/// The run is not yet where somebody can go on: the page asks again.
pub fn patience_page(seconds: u32) -> String {
    let again = format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">");
    page_with(&again, "One moment", "<h1>One moment</h1><p>The next page is being prepared.</p>")
}

fn page(title: &str, body: &str) -> String {
    page_with("", title, body)
}

fn page_with(head: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\">{head}<title>{}</title><style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>",
        escape(title)
    )
}

fn input(body: &mut String, at: usize, field: &Field) {
    let (label, hint, value) = (escape(&field.label), escape(&field.placeholder), escape(&field.value));
    let required = if field.required { " required" } else { "" };
    let several = if field.several { " multiple" } else { "" };
    let star = if field.required { " *" } else { "" };
    let kind = match field.kind {
        Kind::Hidden => {
            let _ = write!(body, "<input type=\"hidden\" name=\"field-{at}\" value=\"{value}\">");
            return;
        }
        Kind::Html => {
            let _ = write!(body, "<p>{value}</p>");
            return;
        }
        Kind::Checkbox | Kind::Radio => {
            let kind = if field.kind == Kind::Radio { "radio" } else { "checkbox" };
            let _ = write!(body, "<fieldset><legend>{label}{star}</legend>");
            for option in &field.options {
                let checked = if field.begins_with(option) { " checked" } else { "" };
                let option = escape(option);
                let _ = write!(
                    body,
                    "<label><input type=\"{kind}\" name=\"field-{at}\" value=\"{option}\"{checked}> {option}</label>"
                );
            }
            body.push_str("</fieldset>");
            return;
        }
        Kind::Dropdown => {
            let _ = write!(
                body,
                "<label for=\"field-{at}\">{label}{star}</label><select id=\"field-{at}\" name=\"field-{at}\"{several}{required}>"
            );
            if !field.several {
                body.push_str("<option value=\"\"></option>");
            }
            for option in &field.options {
                let selected = if field.begins_with(option) { " selected" } else { "" };
                let option = escape(option);
                let _ = write!(body, "<option value=\"{option}\"{selected}>{option}</option>");
            }
            body.push_str("</select>");
            return;
        }
        Kind::Textarea => {
            let _ = write!(
                body,
                "<label for=\"field-{at}\">{label}{star}</label><textarea id=\"field-{at}\" name=\"field-{at}\" \
                 placeholder=\"{hint}\"{required}>{value}</textarea>"
            );
            return;
        }
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Email => "email",
        Kind::Password => "password",
        Kind::Date => "date",
        Kind::File => "file",
    };
    let any = if field.kind == Kind::Number { " step=\"any\"" } else { "" };
    let several = if field.kind == Kind::File { several } else { "" };
    let accepts = match field.accepts.is_empty() {
        true => String::new(),
        false => format!(" accept=\"{}\"", escape(&field.accepts.join(","))),
    };
    let _ = write!(
        body,
        "<label for=\"field-{at}\">{label}{star}</label><input type=\"{kind}\" id=\"field-{at}\" name=\"field-{at}\" \
         placeholder=\"{hint}\" value=\"{value}\"{any}{several}{accepts}{required}>"
    );
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

//! What is in a new project: texts that are part of the program, and the schemas that it makes.

/// Which host's checks of pull requests come with the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Checks {
    /// A workflow for GitHub Actions, with the action it uses
    Github,
    /// A pipeline for GitLab, with the template it includes
    Gitlab,
    /// None
    None,
}

/// A file of a new project.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the project's folder, with `/`.
    pub path: String,
    pub text: String,
}

/// What stands for the project's name in the texts.
const NAME: &str = "PROJECT";

macro_rules! texts {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("project/", $path)))),*]
    };
}

/// What every project has. The settings come last: until they are there, it is no project yet.
const TEXTS: &[(&str, &str)] = texts![
    ".gitignore",
    ".pre-commit-config.yaml",
    ".vscode/extensions.json",
    ".vscode/settings.json",
    "README.md",
    "schemas/contact.schema.json",
    "schemas/events/order_completed.schema.json",
    "schemas/events/signed_up.schema.json",
    "templates/first-steps.html.hbs",
    "templates/layouts/plain.html.hbs",
    "templates/layouts/plain.txt.hbs",
    "templates/welcome.html.hbs",
    "templates/welcome.txt.hbs",
    "tests/welcome.test.yaml",
    "workflows/welcome.yaml",
    "campaignd.yaml",
];

const GITHUB: &[(&str, &str)] = &[
    (".github/actions/campaignd/action.yml", include_str!("../../../packaging/github-action/action.yml")),
    (".github/workflows/campaignd.yml", include_str!("project/github/campaignd.yml")),
];

const GITLAB: &[(&str, &str)] = &[
    (".gitlab-ci.yml", include_str!("project/gitlab/gitlab-ci.yml")),
    (".gitlab/campaignd.gitlab-ci.yml", include_str!("../../../packaging/gitlab/campaignd.gitlab-ci.yml")),
];

/// The files of a new project of this name, in the order in which they are to appear.
pub fn files(name: &str, checks: Checks) -> Vec<File> {
    let host = match checks {
        Checks::Github => GITHUB,
        Checks::Gitlab => GITLAB,
        Checks::None => &[],
    };
    let schemas = dsl::schema::all().into_iter().map(|(file, text)| File { path: format!("schemas/{file}"), text });
    let host = host.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
    let texts = TEXTS.iter().map(|(path, text)| File { path: (*path).to_owned(), text: text.replace(NAME, name) });
    schemas.chain(host).chain(texts).collect()
}

//! The addresses of the service. Each is described where it is routed, so that none goes undescribed.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::HttpBody,
    handler::Handler,
    http::{Method, Response, header},
    middleware,
    routing::{get, post},
};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
};

use super::{
    api::{self, Address, Operation, operations as of},
    charts, data, edge, estimate, gate, portal, px, queries,
    renewal::Current,
    saved, sdmx,
};

/// Where named queries are answered.
pub const QUERY_DATA: &str = "/api/v2/queries/{name}/data";

/// Answers of fewer bytes are not worth compressing.
const SMALL: u64 = 860;

/// Formats that are compressed already are sent as they are.
#[derive(Debug, Clone, Copy)]
struct NotEncoded;

impl Predicate for NotEncoded {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let media = response.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or("");
        !["application/vnd.apache.parquet", "application/vnd.openxmlformats"].iter().any(|packed| media.starts_with(packed))
    }
}

/// Addresses, and what is said of them.
#[derive(Default)]
struct Routes {
    router: Router<Current>,
    interface: Vec<Address>,
}

impl Routes {
    fn get<T: 'static>(mut self, path: &str, handler: impl Handler<T, Current>, operation: &'static Operation) -> Self {
        self.router = self.router.route(path, get(handler));
        self.interface.push(Address { path: path.to_owned(), method: Method::GET, operation });
        self
    }

    fn post<T: 'static>(mut self, path: &str, handler: impl Handler<T, Current>, operation: &'static Operation) -> Self {
        self.router = self.router.route(path, post(handler));
        self.interface.push(Address { path: path.to_owned(), method: Method::POST, operation });
        self
    }

    /// A page for people, which describes itself.
    fn page<T: 'static>(mut self, path: &str, handler: impl Handler<T, Current>) -> Self {
        self.router = self.router.route(path, get(handler));
        self
    }

    /// What a form of a page is sent to.
    fn form<T: 'static>(mut self, path: &str, handler: impl Handler<T, Current>) -> Self {
        self.router = self.router.route(path, post(handler));
        self
    }

    /// An address of SDMX, whose parts may be left out from behind.
    fn sdmx<T: 'static>(mut self, paths: &[&str], handler: &impl Handler<T, Current>, operation: &'static Operation) -> Self {
        for path in paths {
            self = self.get(&format!("{}{path}", sdmx::ROOT), handler.clone(), operation);
        }
        self
    }
}

/// Everything that the service answers.
pub fn router(current: Current) -> Router {
    let Routes { router, interface } = Routes::default()
        .get("/api/v2/config", px::config, &of::CONFIG)
        .get("/api/v2/tables", px::tables, &of::TABLES)
        .get("/api/v2/tables/{id}", px::table, &of::TABLE)
        .get("/api/v2/tables/{id}/metadata", px::metadata, &of::METADATA)
        .get("/api/v2/tables/{id}/defaultselection", px::default_selection, &of::DEFAULT)
        .get("/api/v2/codelists/{id}", px::codelist, &of::CODELIST)
        .get("/api/v2/tables/{id}/data", data::get, &of::DATA)
        .post("/api/v2/tables/{id}/data", data::post, &of::DATA_POST)
        .get("/api/v2/tables/{id}/estimate", estimate::get, &of::ESTIMATE)
        .post("/api/v2/tables/{id}/estimate", estimate::post, &of::ESTIMATE_POST)
        .post("/api/v2/savedqueries", saved::save, &of::SAVE)
        .get("/api/v2/savedqueries/{id}", saved::show, &of::SAVED)
        .get("/api/v2/savedqueries/{id}/selection", saved::selection, &of::SAVED_SELECTION)
        .get("/api/v2/savedqueries/{id}/data", saved::answer, &of::SAVED_DATA)
        .get("/api/v2/queries", queries::list, &of::QUERIES)
        .get("/api/v2/queries/{name}", queries::metadata, &of::QUERY)
        .get(QUERY_DATA, queries::data, &of::QUERY_DATA)
        .sdmx(&["/data/{flow}", "/data/{flow}/{key}", "/data/{flow}/{key}/{provider}"], &sdmx::data, &of::SDMX_DATA)
        .sdmx(
            &[
                "/availableconstraint/{flow}",
                "/availableconstraint/{flow}/{key}",
                "/availableconstraint/{flow}/{key}/{provider}",
                "/availableconstraint/{flow}/{key}/{provider}/{component}",
            ],
            &sdmx::availability,
            &of::SDMX_AVAILABILITY,
        )
        .sdmx(
            &[
                "/{resource}",
                "/{resource}/{agency}",
                "/{resource}/{agency}/{id}",
                "/{resource}/{agency}/{id}/{version}",
                "/{resource}/{agency}/{id}/{version}/{item}",
            ],
            &sdmx::structure,
            &of::SDMX_STRUCTURE,
        )
        .get("/charts/{file}", charts::chart, &of::CHART)
        .page("/", portal::home)
        .page("/search", portal::search)
        .page("/search/suggest", portal::suggest)
        .page("/tables", portal::catalogue)
        .page("/tables/{id}", portal::explorer)
        .page("/regions/{code}", portal::profile)
        .page("/compare", portal::compare)
        .page("/dashboards", portal::dashboards)
        .page("/dashboards/{name}", portal::dashboard)
        .page("/queries", portal::named_queries)
        .page("/queries/{name}", portal::named_query)
        .page("/releases", portal::releases)
        .page("/releases/calendar.ics", portal::calendar)
        .page("/method", portal::method)
        .page("/assets/{name}", portal::asset)
        .page("/sign-in", portal::sign_in_form)
        .form("/sign-in", portal::sign_in)
        .form("/sign-out", portal::sign_out)
        .page("/account", portal::account)
        .form("/account/password", portal::change_password)
        .form("/account/keys", portal::add_key)
        .form("/account/keys/revoke", portal::revoke_key)
        .form("/account/second-factor", portal::second_factor)
        .page("/usage", portal::usage)
        .form("/usage", portal::file_report)
        .page("/usage/{file}", portal::usage_file)
        .page("/admin", portal::overview)
        .page("/admin/institutions", portal::institutions)
        .form("/admin/institutions", portal::add_institution)
        .page("/admin/institutions/{code}", portal::institution)
        .form("/admin/institutions/{code}", portal::act_on_institution)
        .page("/admin/users", portal::users)
        .form("/admin/users", portal::request_user)
        .form("/admin/users/file", portal::request_file)
        .form("/admin/users/approve", portal::approve)
        .page("/admin/users/{name}", portal::user)
        .form("/admin/users/{name}", portal::act_on_user)
        .page("/admin/see-as", portal::seeing_as)
        .form("/admin/see-as", portal::stop_seeing_as)
        .page("/admin/log", portal::log)
        .page("/admin/log.csv", portal::log_csv)
        .page("/admin/changes", portal::changes)
        .page("/admin/hints", portal::hints)
        .page("/api", api::page)
        .get("/api/openapi.json", api::document, &of::OPENAPI)
        .get("/healthz", px::healthy, &of::HEALTH)
        .get("/readyz", px::ready, &of::READINESS);
    router
        .layer(Extension(Arc::new(interface)))
        .fallback(edge::nowhere)
        .method_not_allowed_fallback(edge::no_such_method)
        .layer(middleware::from_fn(gate::gate))
        .layer(middleware::from_fn_with_state(current.clone(), edge::around))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(SMALL).and(NotEncoded)))
        .layer(middleware::from_fn(edge::weaken))
        .with_state(current)
}

//! Warnings of responses that are mapped, but are probably not what their connectors expect.

use super::execution::Execution;
use crate::batch::groups::BatchCall;
use crate::source_client::ResponseBody;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::shared_response::{KeyIndex, SharedResponse};
use crate::warning::SourceWarningKind;

impl Execution<'_, '_> {
    /// Warns of a successful response whose body is not read, such as the page of a login.
    pub(super) fn warn_of_unread_body(
        &mut self,
        client: &ConnectorClient,
        shared: &SharedResponse,
    ) {
        if let Ok(ResponseBody::Unread(media_type)) = shared.body() {
            let kind = SourceWarningKind::UnreadMediaType {
                status: shared.response.status,
                media_type: media_type.clone(),
            };
            self.warnings.add(client, kind);
        }
    }

    /// Warns of a batch in whose response no requested key was found, unless it has no objects:
    /// entities may all be missing.
    pub(super) fn warn_of_keys(&mut self, client: &ConnectorClient, keys: usize, objects: usize) {
        if objects > 0 {
            let kind = SourceWarningKind::KeysNotFound { keys, objects };
            self.warnings.add(client, kind);
        }
    }

    /// Warns of a call for several operations in whose response no key of any of them was found.
    pub(super) fn warn_of_shared_keys(
        &mut self,
        client: &ConnectorClient,
        index: &KeyIndex,
        call: &BatchCall,
    ) {
        let mut keys = call.requested_keys();
        let count = keys.len();
        if !keys.any(|key| index.find(key).is_some()) {
            self.warn_of_keys(client, count, index.objects());
        }
    }
}

//! What is switched for all routes of a service, or for one of them.
//!
//! Asking takes one load as long as nothing is switched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Switches of one kind; those of a route win over those of all.
#[derive(Debug)]
pub(super) struct Switches<T> {
    any: AtomicBool,
    switched: RwLock<Switched<T>>,
}

/// What is switched on.
#[derive(Clone, Debug)]
pub(super) struct Switched<T> {
    pub(super) everywhere: Option<T>,
    /// Route index and setting; few at any time.
    pub(super) on_routes: Vec<(usize, T)>,
}

impl<T: Clone> Switches<T> {
    /// What holds for the route at `index`.
    pub(super) fn at(&self, index: usize) -> Option<T> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let switched = self.switched.read().unwrap_or_else(PoisonError::into_inner);
        let own = switched
            .on_routes
            .iter()
            .find(|(route, _)| *route == index)
            .map(|(_, own)| own);
        own.or(switched.everywhere.as_ref()).cloned()
    }

    /// Switches one route, or all of them; `None` switches off again.
    pub(super) fn set(&self, index: Option<usize>, setting: Option<T>) {
        let mut switched = self.write();
        match index {
            None => switched.everywhere = setting,
            Some(index) => {
                switched.on_routes.retain(|(route, _)| *route != index);
                let setting = setting.map(|setting| (index, setting));
                switched.on_routes.extend(setting);
            }
        }
        let any = switched.everywhere.is_some() || !switched.on_routes.is_empty();
        self.any.store(any, Ordering::Release);
    }

    /// Switches everything off.
    pub(super) fn clear(&self) {
        let mut switched = self.write();
        *switched = Switched::default();
        self.any.store(false, Ordering::Release);
    }

    /// What is switched on at this moment.
    pub(super) fn all(&self) -> Switched<T> {
        let switched = self.switched.read().unwrap_or_else(PoisonError::into_inner);
        switched.clone()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Switched<T>> {
        self.switched
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Switches<T> {
    fn default() -> Self {
        Self {
            any: AtomicBool::new(false),
            switched: RwLock::new(Switched::default()),
        }
    }
}

impl<T> Default for Switched<T> {
    fn default() -> Self {
        Self {
            everywhere: None,
            on_routes: Vec::new(),
        }
    }
}

//! `spin:variables@3` and `wasi:config/store`: the component's variables.

use super::bindings::{spin_variables, wasi_config};
use super::guest::{Spin, SpinView};
use crate::template::is_variable_name;
use wasmtime::Result;
use wasmtime::component::Accessor;

impl spin_variables::Host for SpinView<'_> {}

impl<T: 'static> spin_variables::HostWithStore<T> for Spin {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> Result<std::result::Result<String, spin_variables::Error>> {
        if !is_variable_name(&name) {
            return Ok(Err(spin_variables::Error::InvalidName(name)));
        }
        let value = accessor.with(|mut access| access.get().component.variables.get(&name).cloned());
        Ok(value.ok_or_else(|| spin_variables::Error::Undefined(format!("no variable {name:?}"))))
    }
}

impl wasi_config::Host for SpinView<'_> {
    async fn get(&mut self, key: String) -> Result<std::result::Result<Option<String>, wasi_config::Error>> {
        Ok(Ok(self.component.variables.get(&key).cloned()))
    }

    async fn get_all(&mut self) -> Result<std::result::Result<Vec<(String, String)>, wasi_config::Error>> {
        Ok(Ok(self.component.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect()))
    }
}

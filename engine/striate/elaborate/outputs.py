"""`output logits`, `output boxes, scores`, `output stem.relu1 as early`: values that the model gives out, by name."""

from __future__ import annotations

from striate.elaborate.elaborator import Elaborator
from striate.elaborate.expressions import type_name
from striate.elaborate.faults import fault
from striate.elaborate.missing import no_output_value
from striate.elaborate.scope import Scope
from striate.elaborate.values import ValueRef
from striate_dsl.diagnostics import Label
from striate_dsl.syntax import Identifier, Output


class Outputs:
    """Runs output statements for an elaborator."""

    def __init__(self, elaborator: Elaborator) -> None:
        self.elaborator = elaborator
        elaborator.handle(Output, self._output)

    def _output(self, statement: Output, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        for name, alias in zip(statement.names, statement.aliases, strict=True):
            binding = scope.names.get(name.text)
            value = binding.value if binding else current
            if binding is None and (len(statement.names) > 1 or alias is not None):
                raise no_output_value(name, statement, scope)
            if not isinstance(value, ValueRef):
                what = type_name(value) if binding else "nothing, because no value flows in here"
                raise fault("E0305", f"output {name.text} is {what}", name.span)
            self._add(alias or name, value)
        return current

    def _add(self, name: Identifier, value: ValueRef) -> None:
        outputs = self.elaborator.outputs
        if name.text in outputs:
            first = outputs[name.text][1]
            raise fault("E0303", f"output {name.text} is named twice", name.span, labels=(Label(first, "first here"),))
        outputs[name.text] = (value, name.span)
        if self.elaborator.observer is not None:
            self.elaborator.observer.output_named(name.text, value)

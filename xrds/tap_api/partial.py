"""Sections with every field optional, made from the sections themselves so that the two cannot disagree."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Optional, cast

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, create_model
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from tap_api.base import ApiModel


@cache
def partial(model: type[ApiModel]) -> type[ApiModel]:
    """Returns `model` with every field optional and no default, nested models too.

    Rules that compare fields with one another are left out: they are judged once the preset has filled the gaps.
    Whoever makes a list item writes it whole, so items of lists stay as they are.
    """
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, ApiModel):
            annotation = partial(annotation)
        constrained = Annotated[annotation, *info.metadata] if info.metadata else annotation
        fields[name] = (
            Optional[constrained],  # noqa: UP045  (`|` does not take an Annotated built at run time)
            Field(
                None,
                alias=info.alias,
                description=info.description,
                json_schema_extra=info.json_schema_extra,
            ),
        )
    made = create_model(f"{model.__name__}Choices", __base__=ApiModel, __doc__=model.__doc__, **fields)
    made.model_config = ConfigDict(**{**made.model_config, "json_schema_extra": None})
    return cast("type[ApiModel]", made)


class PartialOf:
    """Marks a field that holds some of a section's fields, as a mapping of JSON names."""

    def __init__(self, model: type[ApiModel]) -> None:
        """Args: model: the whole section."""
        self.model = partial(model)

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Returns the schema: validated as the partial section, kept as the mapping of what was set."""
        return core_schema.nullable_schema(
            core_schema.no_info_after_validator_function(
                _set_fields,
                handler.generate_schema(self.model),
                serialization=core_schema.plain_serializer_function_ser_schema(dict),
            )
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Returns the schema of the partial section."""
        self.model.model_rebuild()
        return handler(self.model.__pydantic_core_schema__)


def _set_fields(section: ApiModel) -> Mapping[str, Any]:
    return section.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)

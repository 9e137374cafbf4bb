using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Google.Api;
using Google.Protobuf.Reflection;
using Microsoft.OpenApi;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace AgencyPlatform.Gateway.OpenApi;

/// <summary>
/// The OpenAPI document of the JSON API, made from the protos themselves: paths from their <c>google.api.http</c> annotations, schemas from
/// their messages, texts from their comments.
/// </summary>
internal sealed class ApiDocument
{
    private const string StatusSchema = "google.rpc.Status";

    // How JSON writes what is not in our own files.
    private static readonly FrozenDictionary<string, Func<OpenApiSchema>> s_wellKnown = new Dictionary<string, Func<OpenApiSchema>>
    {
        [".google.protobuf.Timestamp"] = () => new() { Type = JsonSchemaType.String, Format = "date-time" },
        [".google.protobuf.Duration"] = () => new() { Type = JsonSchemaType.String, Description = "Seconds, for example 1.5s." },
        [".google.protobuf.FieldMask"] = () => new() { Type = JsonSchemaType.String, Description = "Field paths in lowerCamelCase, separated by commas." },
        [".google.protobuf.Struct"] = () => new() { Type = JsonSchemaType.Object },
        [".google.protobuf.Empty"] = () => new() { Type = JsonSchemaType.Object },
        [".google.protobuf.Any"] = () => new()
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema> { ["@type"] = new OpenApiSchema { Type = JsonSchemaType.String } },
        },
        [".google.api.HttpBody"] = () => new() { Type = JsonSchemaType.String, Format = "binary" },
        [".google.rpc.Status"] = () => new()
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["code"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Description = "gRPC status code." },
                ["message"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "What happened, which value, what to do." },
                ["details"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array,
                    Description = "google.rpc ErrorInfo (reason, numbers), BadRequest (every bad field), ResourceInfo, RetryInfo, QuotaFailure.",
                    Items = new OpenApiSchema { Type = JsonSchemaType.Object },
                },
            },
        },
        [".google.type.Date"] = () => new()
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["year"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                ["month"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                ["day"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
            },
        },
    }.ToFrozenDictionary();

    private readonly Dictionary<string, (DescriptorProto Message, string Comment, Comments File, int[] Path)> _messages = [];
    private readonly Dictionary<string, (EnumDescriptorProto Enum, string Comment)> _enums = [];
    private readonly OpenApiDocument _document;

    private ApiDocument()
    {
        _document = new OpenApiDocument
        {
            Info = new OpenApiInfo
            {
                Title = "AgencyPlatform",
                Version = "v1",
                License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
                Description = "The platform's public API as JSON over HTTP/1.1. The same calls exist as gRPC and gRPC-Web. int64 are strings.",
            },
            Servers = [new OpenApiServer { Url = "/", Description = "The host that serves this document." }],
            Paths = [],
            Components = new OpenApiComponents
            {
                Schemas = new Dictionary<string, IOpenApiSchema>(),
                SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    ["key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key: `apk_{agency}_{key id}_{secret}`." },
                },
            },
        };
        _document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("key", _document)] = [] }];
    }

    /// <summary>The document as JSON text.</summary>
    public static async Task<string> Json()
    {
        var document = new ApiDocument();
        document.Add(ProtocolFiles.WithComments());
        return await document._document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);
    }

    private void Add(FileDescriptorSet files)
    {
        foreach (var file in files.File)
        {
            var comments = new Comments(file);
            for (var i = 0; i < file.MessageType.Count; i++)
            {
                Note($".{file.Package}", file.MessageType[i], comments, [4, i]);
            }

            for (var i = 0; i < file.EnumType.Count; i++)
            {
                _enums[$".{file.Package}.{file.EnumType[i].Name}"] = (file.EnumType[i], comments.Of(5, i));
            }
        }

        foreach (var file in files.File)
        {
            var comments = new Comments(file);
            for (var s = 0; s < file.Service.Count; s++)
            {
                var service = file.Service[s];
                (_document.Tags ??= new HashSet<OpenApiTag>()).Add(new OpenApiTag { Name = service.Name, Description = comments.Of(6, s) });
                for (var m = 0; m < service.Method.Count; m++)
                {
                    if (service.Method[m].Options?.GetExtension(AnnotationsExtensions.Http) is { } rule)
                    {
                        AddMethod(service, service.Method[m], rule, comments.Of(6, s, 2, m));
                        foreach (var more in rule.AdditionalBindings)
                        {
                            AddMethod(service, service.Method[m], more, comments.Of(6, s, 2, m));
                        }
                    }
                }
            }
        }
    }

    private void Note(string scope, DescriptorProto message, Comments comments, int[] path)
    {
        var name = $"{scope}.{message.Name}";
        _messages[name] = (message, comments.Of(path), comments, path);
        for (var i = 0; i < message.NestedType.Count; i++)
        {
            Note(name, message.NestedType[i], comments, [.. path, 3, i]);
        }

        for (var i = 0; i < message.EnumType.Count; i++)
        {
            _enums[$"{name}.{message.EnumType[i].Name}"] = (message.EnumType[i], comments.Of([.. path, 4, i]));
        }
    }

    private void AddMethod(ServiceDescriptorProto service, MethodDescriptorProto method, HttpRule rule, string comment)
    {
        var (verb, template) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => (HttpMethod.Get, rule.Get),
            HttpRule.PatternOneofCase.Post => (HttpMethod.Post, rule.Post),
            HttpRule.PatternOneofCase.Put => (HttpMethod.Put, rule.Put),
            HttpRule.PatternOneofCase.Patch => (HttpMethod.Patch, rule.Patch),
            HttpRule.PatternOneofCase.Delete => (HttpMethod.Delete, rule.Delete),
            _ => throw new InvalidOperationException($"{method.Name} has no path."),
        };
        var (path, ids, bound) = Expand(template);
        var operation = new OpenApiOperation
        {
            OperationId = method.Name,
            Summary = method.Name,
            Description = comment,
            Tags = new HashSet<OpenApiTagReference> { new(service.Name, _document) },
            Parameters = [.. ids.Select(id => new OpenApiParameter
            {
                Name = id, In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
            })],
            Responses = new OpenApiResponses
            {
                ["200"] = new OpenApiResponse { Description = "Done.", Content = Content(Reference(method.OutputType)) },
                ["default"] = new OpenApiResponse { Description = "Refused, or in trouble: a google.rpc.Status.", Content = Content(Reference("." + StatusSchema)) },
            },
        };
        if (rule.Body == "*")
        {
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = Content(Reference(method.InputType)) };
        }
        else
        {
            AddQuery(operation, method.InputType, "", bound, 0);
        }

        if (!_document.Paths.TryGetValue(path, out var item))
        {
            _document.Paths[path] = item = new OpenApiPathItem();
        }

        ((OpenApiPathItem)item).AddOperation(verb, operation);
    }

    /// <summary>The fields that the path does not bind are query parameters, those of nested messages by dotted path.</summary>
    private void AddQuery(OpenApiOperation operation, string input, string prefix, HashSet<string> bound, int depth)
    {
        var (message, _, comments, path) = _messages[input];
        for (var i = 0; i < message.Field.Count; i++)
        {
            var field = message.Field[i];
            var name = prefix + field.JsonName;
            if (bound.Contains(prefix + field.Name))
            {
                continue;
            }

            if (field.Type == Type.Message && field.TypeName == ".google.type.Date")
            {
                foreach (var part in new[] { "year", "month", "day" })
                {
                    operation.Parameters!.Add(new OpenApiParameter
                    {
                        Name = $"{name}.{part}",
                        In = ParameterLocation.Query,
                        Description = comments.Of([.. path, 2, i]),
                        Schema = new OpenApiSchema { Type = JsonSchemaType.Integer },
                    });
                }
            }
            else if (field.Type == Type.Message && field.Label != FieldDescriptorProto.Types.Label.Repeated && _messages.ContainsKey(field.TypeName) && depth < 2)
            {
                AddQuery(operation, field.TypeName, name + ".", bound, depth + 1);
            }
            else
            {
                operation.Parameters!.Add(new OpenApiParameter { Name = name, In = ParameterLocation.Query, Description = comments.Of([.. path, 2, i]), Schema = Schema(field, null) });
            }
        }
    }

    /// <summary><c>/v1/{name=agencies/*/cmos/*}:hold</c> becomes <c>/v1/agencies/{agency}/cmos/{cmo}:hold</c>.</summary>
    private static (string Path, List<string> Ids, HashSet<string> Bound) Expand(string template)
    {
        var path = new StringBuilder();
        var ids = new List<string>();
        var bound = new HashSet<string>();
        var rest = template.AsSpan();
        while (rest.IndexOf('{') is >= 0 and var open)
        {
            path.Append(rest[..open]);
            var close = rest.IndexOf('}');
            var variable = rest[(open + 1)..close].ToString();
            rest = rest[(close + 1)..];
            var equals = variable.IndexOf('=');
            if (equals < 0)
            {
                bound.Add(variable);
                ids.Add(variable);
                path.Append('{').Append(variable).Append('}');
                continue;
            }

            bound.Add(variable[..equals]);
            var parts = variable[(equals + 1)..].Split('/');
            for (var i = 0; i < parts.Length; i++)
            {
                path.Append(i > 0 ? "/" : "");
                if (parts[i] is "*" or "**")
                {
                    var id = i > 0 ? Singular(parts[i - 1]) : "id";
                    ids.Add(id);
                    path.Append('{').Append(id).Append('}');
                }
                else
                {
                    path.Append(parts[i]);
                }
            }
        }

        return (path.Append(rest).ToString(), ids, bound);
    }

    private static string Singular(string collection) =>
        collection.EndsWith("Series", StringComparison.Ordinal) ? collection
        : collection.EndsWith("ies", StringComparison.Ordinal) ? collection[..^3] + "y"
        : collection.TrimEnd('s');

    private static Dictionary<string, OpenApiMediaType> Content(IOpenApiSchema schema) => new() { ["application/json"] = new OpenApiMediaType { Schema = schema } };

    /// <summary>A reference to a message's or enum's schema, which is made when first asked for.</summary>
    private OpenApiSchemaReference Reference(string typeName)
    {
        var name = typeName[1..];
        var schemas = _document.Components!.Schemas!;
        if (!schemas.ContainsKey(name))
        {
            var schema = new OpenApiSchema();
            schemas[name] = schema;
            if (_enums.TryGetValue(typeName, out var e))
            {
                schema.Type = JsonSchemaType.String;
                schema.Description = e.Comment;
                schema.Enum = [.. e.Enum.Value.Select(v => System.Text.Json.Nodes.JsonValue.Create(v.Name)!)];
            }
            else if (_messages.TryGetValue(typeName, out var found))
            {
                schema.Type = JsonSchemaType.Object;
                schema.Description = found.Comment;
                schema.Properties = new Dictionary<string, IOpenApiSchema>();
                for (var i = 0; i < found.Message.Field.Count; i++)
                {
                    var property = Schema(found.Message.Field[i], found.File.Of([.. found.Path, 2, i]));
                    if (property is OpenApiSchema inline && found.Message.Field[i].Options?.GetExtension(FieldBehaviorExtensions.FieldBehavior)?.Contains(FieldBehavior.OutputOnly) is true)
                    {
                        inline.ReadOnly = true;
                    }

                    schema.Properties[found.Message.Field[i].JsonName] = property;
                }
            }
            else
            {
                schemas[name] = s_wellKnown.TryGetValue(typeName, out var known) ? known() : new OpenApiSchema { Type = JsonSchemaType.Object };
            }
        }

        return new OpenApiSchemaReference(name, _document);
    }

    private IOpenApiSchema Schema(FieldDescriptorProto field, string? comment)
    {
        if (field.Type == Type.Message && _messages.TryGetValue(field.TypeName, out var entry) && entry.Message.Options?.MapEntry == true)
        {
            return new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = Single(entry.Message.Field[1]), Description = comment };
        }

        var single = Single(field);
        if (field.Label == FieldDescriptorProto.Types.Label.Repeated)
        {
            return new OpenApiSchema { Type = JsonSchemaType.Array, Items = single, Description = comment };
        }

        switch (single)
        {
            case OpenApiSchema schema:
                schema.Description = comment ?? schema.Description;
                break;
            case OpenApiSchemaReference reference when comment is not null:
                reference.Description = comment;
                break;
        }

        return single;
    }

    private IOpenApiSchema Single(FieldDescriptorProto field) => field.Type switch
    {
        Type.String => new OpenApiSchema { Type = JsonSchemaType.String },
        Type.Bytes => new OpenApiSchema { Type = JsonSchemaType.String, Format = "byte" },
        Type.Bool => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        Type.Int32 or Type.Sint32 or Type.Sfixed32 or Type.Uint32 or Type.Fixed32 => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
        Type.Int64 or Type.Sint64 or Type.Sfixed64 or Type.Uint64 or Type.Fixed64 => new OpenApiSchema { Type = JsonSchemaType.String, Format = "int64" },
        Type.Double or Type.Float => new OpenApiSchema { Type = JsonSchemaType.Number },
        Type.Message when s_wellKnown.TryGetValue(field.TypeName, out var known) && field.TypeName.StartsWith(".google.protobuf.", StringComparison.Ordinal) => known(),
        Type.Message or Type.Enum => Reference(field.TypeName),
        _ => throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{field.Name} has the type {field.Type}.")),
    };

    /// <summary>A proto file's comments, by the path of what they stand before.</summary>
    private sealed class Comments(FileDescriptorProto file)
    {
        private readonly Dictionary<string, string> _byPath = file.SourceCodeInfo.Location
            .Where(l => l.LeadingComments.Length > 0)
            .ToDictionary(l => string.Join('.', l.Path), l => string.Join(' ', l.LeadingComments.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)));

        public string Of(params ReadOnlySpan<int> path) => _byPath.GetValueOrDefault(string.Join('.', path.ToArray()), "");
    }
}

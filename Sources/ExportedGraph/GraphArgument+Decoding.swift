import FoundationEssentials

extension GraphArgument: Decodable {
    package init(from decoder: any Decoder) throws {
        let union = try Union(decoder)
        switch union.kind {
        case "as_none": self = .none
        case "as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool", "as_optional_tensor":
            self = try union.decode(Item.self).argument
        case "as_tensors", "as_sym_ints", "as_sym_floats", "as_sym_bools", "as_optional_tensors":
            self = .list(try union.decode([Item].self).map(\.argument))
        case "as_nested_tensors":
            self = .list(try union.decode([[Item]].self).map { .list($0.map(\.argument)) })
        case "as_int": self = .int(try union.decode(Int.self))
        case "as_ints": self = .list(try union.decode([Int].self).map(GraphArgument.int))
        case "as_int_lists": self = .list(try union.decode([[Int]].self).map { .list($0.map(GraphArgument.int)) })
        case "as_float": self = .double(try union.decode(Number.self).value)
        case "as_floats": self = .list(try union.decode([Number].self).map { .double($0.value) })
        case "as_float_lists":
            self = .list(try union.decode([[Number]].self).map { .list($0.map { .double($0.value) }) })
        case "as_bool": self = .bool(try union.decode(Bool.self))
        case "as_bools": self = .list(try union.decode([Bool].self).map(GraphArgument.bool))
        case "as_string": self = .string(try union.decode(String.self))
        case "as_strings": self = .list(try union.decode([String].self).map(GraphArgument.string))
        case "as_scalar_type": self = .dtype(ElementType.name(try union.decode(Int.self)))
        case "as_layout": self = Self.runnableLayout(try union.decode(Int.self))
        case "as_memory_format": self = Self.runnableFormat(try union.decode(Int.self))
        case "as_device": self = .device(try union.decode(Device.self).name)
        case "as_complex":
            let value = try union.decode([String: Number].self)
            self = .complex(value["real"]?.value ?? 0, value["imag"]?.value ?? 0)
        case "as_graph": self = .graph(try union.decode(NamedGraph.self).graph)
        default: self = .unsupported(union.kind)
        }
    }

    /// Strided is c10's 0; no other layout can be run here.
    private static func runnableLayout(_ serialized: Int) -> GraphArgument {
        serialized == 7 ? .layout(0) : .unsupported("sparse layout")
    }

    private static func runnableFormat(_ serialized: Int) -> GraphArgument {
        switch serialized {
        case 1: .memoryFormat(0)
        case 2: .memoryFormat(2)
        case 3: .memoryFormat(3)
        case 4: .memoryFormat(1)
        default: .unsupported("memory format \(serialized)")
        }
    }

    /// A named value, or a constant in its place.
    private struct Item: Decodable {
        var argument: GraphArgument

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            if let name = try container.decodeIfPresent(String.self, forKey: .init("name")) {
                argument = .value(name)
                return
            }
            let union = try Union(decoder)
            argument =
                switch union.kind {
                case "as_name": .value(try union.decode(String.self))
                case "as_tensor": try union.decode(Item.self).argument
                case "as_int": .int(try union.decode(Int.self))
                case "as_float": .double(try union.decode(Number.self).value)
                case "as_bool": .bool(try union.decode(Bool.self))
                case "as_none": .none
                default: .unsupported(union.kind)
                }
        }
    }

    /// A floating-point number; those that JSON has no form for are strings.
    private struct Number: Decodable {
        var value: Double

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                value = number
                return
            }
            switch try container.decode(String.self) {
            case "Infinity": value = .infinity
            case "-Infinity": value = -.infinity
            case "NaN": value = .nan
            default: throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a number")
            }
        }
    }

    private struct Device: Decodable {
        var type: String
        var index: Int?

        var name: String { index.map { "\(type):\($0)" } ?? type }
    }

    private struct NamedGraph: Decodable {
        var graph: GraphBlock
    }
}

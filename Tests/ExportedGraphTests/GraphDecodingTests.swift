import ExportedGraph
import Testing

@Suite struct GraphDecodingTests {
    @Test(arguments: [
        (#"{"as_none":true}"#, GraphArgument.none),
        (#"{"as_tensor":{"name":"x"}}"#, .value("x")),
        (#"{"as_tensors":[{"name":"x"},{"name":"y"}]}"#, .list([.value("x"), .value("y")])),
        (#"{"as_optional_tensors":[{"as_tensor":{"name":"x"}},{"as_none":true}]}"#, .list([.value("x"), .none])),
        (#"{"as_optional_tensor":{"as_none":true}}"#, .none),
        (#"{"as_int":-9223372036854775808}"#, .int(.min)),
        (#"{"as_ints":[1,2]}"#, .list([.int(1), .int(2)])),
        (#"{"as_float":0.5}"#, .double(0.5)),
        (#"{"as_float":1}"#, .double(1)),
        (#"{"as_float":"-Infinity"}"#, .double(-.infinity)),
        (#"{"as_floats":[1.5,"Infinity"]}"#, .list([.double(1.5), .double(.infinity)])),
        (#"{"as_bool":false}"#, .bool(false)),
        (#"{"as_bools":[true]}"#, .list([.bool(true)])),
        (#"{"as_string":"mean"}"#, .string("mean")),
        (#"{"as_strings":["a"]}"#, .list([.string("a")])),
        (#"{"as_sym_int":{"as_name":"s"}}"#, .value("s")),
        (#"{"as_sym_int":{"as_int":3}}"#, .int(3)),
        (#"{"as_sym_ints":[{"as_name":"s"},{"as_int":-1}]}"#, .list([.value("s"), .int(-1)])),
        (#"{"as_sym_bool":{"as_name":"b"}}"#, .value("b")),
        (#"{"as_sym_float":{"as_float":2.5}}"#, .double(2.5)),
        (#"{"as_scalar_type":13}"#, .dtype("bfloat16")),
        (#"{"as_layout":7}"#, .layout(0)),
        (#"{"as_memory_format":4}"#, .memoryFormat(1)),
        (#"{"as_device":{"type":"cpu","index":null}}"#, .device("cpu")),
        (#"{"as_device":{"type":"cuda","index":1}}"#, .device("cuda:1")),
        (#"{"as_complex":{"real":1.0,"imag":2.0}}"#, .complex(1, 2)),
        (#"{"as_int_lists":[[1],[2,3]]}"#, .list([.list([.int(1)]), .list([.int(2), .int(3)])])),
        (#"{"as_nested_tensors":[[{"name":"x"}]]}"#, .list([.list([.value("x")])])),
        (#"{"as_custom_obj":{"name":"o","class_fqn":"c"}}"#, .unsupported("as_custom_obj")),
        (#"{"as_operator":"torch.ops.aten.add"}"#, .unsupported("as_operator")),
    ])
    func everyKindOfArgument(json: String, value: GraphArgument) throws {
        let graph = try HostileArchive(HostileArchive.model(json)).read()
        #expect(graph.body.nodes[0].arguments[1].value == value)
    }

    @Test func weightsAreTiedByTheirStorage() throws {
        var archive = HostileArchive()
        let place =
            #"{"path_name":"weight_0","is_param":true,"use_pickle":false,"tensor_meta":"# + HostileArchive.meta + "}"
        archive.entries[1].content = Array(#"{"config":{"w":\#(place),"head":\#(place)}}"#.utf8)
        let graph = try archive.read()
        #expect(graph.signature.parameters[0].aliases == ["head"])
        #expect(try graph.storage("w") == nil)
    }

    @Test func bytesThatTheArchiveCarriesAreRead() throws {
        var archive = HostileArchive()
        let place =
            #"{"path_name":"weight_0","is_param":true,"use_pickle":false,"tensor_meta":"# + HostileArchive.meta + "}"
        archive.entries[1].content = Array(#"{"config":{"w":\#(place)}}"#.utf8)
        archive.entries.append(.init("g/data/weights/weight_0", "12345678"))
        #expect(try archive.read().storage("w") == Array("12345678".utf8))
    }

    @Test func pickledWeightsAreNeverRead() throws {
        var archive = HostileArchive()
        let place =
            #"{"path_name":"weight_0","is_param":true,"use_pickle":true,"tensor_meta":"# + HostileArchive.meta + "}"
        archive.entries[1].content = Array(#"{"config":{"w":\#(place)}}"#.utf8)
        archive.entries.append(.init("g/data/weights/weight_0", "12345678"))
        #expect(try archive.read().storage("w") == nil)
    }

    @Test func onlyTheUsersOutputsAreReturned() throws {
        let model = HostileArchive.model()
            .replacing(
                #""outputs":[{"as_tensor":{"name":"mul"}}],"nodes""#,
                with: #""outputs":[{"as_tensor":{"name":"x"}},{"as_tensor":{"name":"mul"}}],"nodes""#
            )
            .replacing(
                #""output_specs":["#,
                with: #""output_specs":[{"buffer_mutation":{"arg":{"name":"x"},"buffer_name":"b"}},"#)
        #expect(try HostileArchive(model).read().outputs == [.value("mul")])
    }
}

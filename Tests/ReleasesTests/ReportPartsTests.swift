import Testing

@testable import Releases

@Suite struct ReportPartsTests {
    @Test func layersStandInTheOrderThatPeopleCount() {
        let names = ["layer.10.w", "layer.2.w", "layer.02.w", "head", "layer.2.b", "layer.9007199254740993000.w", ""]
        #expect(
            names.sorted(by: CoefficientMap.isBefore) == [
                "", "head", "layer.2.b", "layer.02.w", "layer.2.w", "layer.10.w", "layer.9007199254740993000.w",
            ])
        #expect(CoefficientMap.isBefore("layer.2.w", "layer.10.w"))
        #expect(!CoefficientMap.isBefore("layer.10.w", "layer.2.w"))
        #expect(CoefficientMap.isBefore("layer.2", "layer.2.w"))
        #expect(!CoefficientMap.isBefore("layer.2", "layer.2"))
    }

    @Test func columnsAverageNeighboursOnlyWhereTheyMust() {
        let few = CoefficientMap(["a.0.x": [0.5], "a.1.x": [-0.25]], tasks: ["t"])
        #expect(few.columns.map(\.means) == [[0.5], [-0.25]])
        #expect(few.limit == 0.5)
        #expect(few.blocks.map(\.label) == ["0", "1"])
        let many = CoefficientMap(
            Dictionary(uniqueKeysWithValues: (0..<480).map { ("l.\($0)", [Double($0 % 2)]) }), tasks: ["t", "u"])
        #expect(many.columns.count == 240)
        #expect(many.columns.allSatisfy { $0.layers.count == 2 && $0.means == [0.5, nil] })
        #expect(many.columns[0].name == "l.0 … l.1")
    }

    @Test(arguments: [
        [], [0.3], [-5, 12], [1e-12, 2e-12], [1e299, -1e299], [0, Double.leastNonzeroMagnitude], [.nan, .infinity],
    ])
    func axesHaveRoundTicksAroundTheirValues(_ values: [Double]) {
        let axis = Axis(over: values, ticks: 5)
        #expect(axis.ticks.count >= 2 && axis.ticks.count <= 51)
        #expect(axis.bounds.lowerBound < axis.bounds.upperBound)
        for value in values { #expect((0...1).contains(axis.fraction(value))) }
        for value in values where value.isFinite && abs(value) > 1e-300 {
            #expect(axis.bounds.contains(value))
        }
    }

    @Test func markupEscapesWhatIsPutIn() {
        let name = "<b>&'\""
        let cell: Markup = "<td>\(name)</td>"
        #expect(cell.html == "<td>&lt;b&gt;&amp;&#39;&quot;</td>")
        let row: Markup = "<tr>\(cell)\([cell, cell])\(3)</tr>"
        #expect(row.html == "<tr>\(cell.html)\(cell.html)\(cell.html)3</tr>")
    }

    @Test func figures() {
        #expect(Figure.text(-0.25) == "−0.2500" && Figure.text(nil) == "–" && Figure.text(.nan) == "not a number")
        #expect(Figure.change(0.04) == "+0.0400" && Figure.change(-0.00001) == "0.0000")
        #expect(Figure.bytes(512) == "512 bytes" && Figure.bytes(3 << 20) == "3.0 MiB")
        #expect(Figure.duration(61) == "1 min 1 s" && Figure.duration(7260) == "2 h 1 min")
        #expect(Figure.duration(.infinity) == "–")
    }
}

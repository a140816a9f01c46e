import Testing

@testable import Torch

@Suite struct FastEnvironmentTests {
    private static let avx512: Set<String> = ["avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"]

    @Test(
        arguments: [
            ("Prescott", avx512.union(["avx512_bf16"]), "Cooperlake"), ("Prescott", avx512, "SkylakeX"),
            ("Nehalem", ["avx2", "fma"], "Haswell"), ("Prescott", ["ssse3"], nil), ("Haswell", avx512, nil),
            (nil, avx512, nil),
        ] as [(String?, Set<String>, String?)])
    func kernelsForAProcessorThatOpenBlasDoesNotKnow(core: String?, features: Set<String>, wanted: String?) {
        let environment = FastEnvironment(core: core, features: features, given: [])
        #expect(environment.missing["OPENBLAS_CORETYPE"] == wanted)
        #expect((environment.advice == nil) == (wanted == nil))
    }

    @Test func whatTheUserHasSetStays() {
        let environment = FastEnvironment(
            core: "Prescott", features: Self.avx512, given: ["OPENBLAS_CORETYPE", "OMP_WAIT_POLICY"])
        #expect(environment.missing.isEmpty)
    }
}

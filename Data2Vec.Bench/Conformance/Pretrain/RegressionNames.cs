using Data2Vec.Engine;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Published names of a pre-training model: the recorded suites call its head regression_head, for speech final_proj.
/// </summary>
internal static class RegressionNames
{
    public static PublishedParameters Of(ParameterStore store, PublishedMap map) => new(store, map.With(
        store.Parameters.Where(p => p.Name.StartsWith("head.", StringComparison.Ordinal))
            .Select(p => new PublishedTensor(
                map.Family == PublishedFamily.Audio ? p.Name.Replace("head.0.", "final_proj.") : $"regression_{p.Name}",
                p.Name) { Part = PublishedPart.Head })));
}

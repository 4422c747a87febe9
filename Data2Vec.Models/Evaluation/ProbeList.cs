namespace Data2Vec.Models.Evaluation;

/// <summary>The probes of a data set, and what all of them report alike.</summary>
/// <typeparam name="TSource">One encoder's features, computed once for several probes.</typeparam>
/// <param name="fewestTraining">A probe with fewer examples to fit is left out.</param>
/// <param name="fewestTest">A probe with fewer examples to test is left out.</param>
internal sealed class ProbeList<TSource>(int fewestTraining, int fewestTest)
{
    private readonly List<Probe> probes = [];
    private IReadOnlyList<ProbeBaseline>? baselines;

    public IReadOnlyList<string> Names => [.. probes.Select(p => p.Name)];

    public List<string> LeftOut { get; } = [];

    public IReadOnlyList<ProbeBaseline> Baselines => baselines ??= [.. probes.SelectMany(p =>
        p.Baselines().Select(b => new ProbeBaseline(p.Name, b.Name, b.Accuracy)))];

    /// <summary>Adds a probe, or says why there is none.</summary>
    /// <param name="name">What is asked.</param>
    /// <param name="labels">Right answers.</param>
    /// <param name="accuracy">Accuracy on one encoder's features.</param>
    /// <param name="simple">Accuracies without an encoder, each with what it looks at; asked for once.</param>
    public void Add(
        string name, ProbeLabels labels, Func<TSource, double> accuracy,
        Func<IReadOnlyList<(string Name, double Accuracy)>> simple)
    {
        if (labels.Training.Length < fewestTraining || labels.Test.Length < fewestTest)
            LeftOut.Add($"{name}: {labels.Training.Length} examples to fit and {labels.Test.Length} to test, "
                + $"{fewestTraining} and {fewestTest} are needed");
        else probes.Add(new Probe(name, labels, accuracy, simple));
    }

    public IReadOnlyList<double> Accuracies(TSource source) => [.. probes.Select(p => p.Accuracy(source))];

    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        [.. probes.Select((p, i) =>
        {
            var strongest = Baselines.Where(b => b.Probe == p.Name).MaxBy(b => b.Accuracy)!;
            return new ProbeResult(p.Name, p.Labels.Test.Length, p.Labels.Majority(), strongest.Accuracy,
                strongest.Name, random[i], pretrained[i]);
        })];

    private sealed record Probe(
        string Name, ProbeLabels Labels, Func<TSource, double> Accuracy,
        Func<IReadOnlyList<(string Name, double Accuracy)>> Baselines);
}

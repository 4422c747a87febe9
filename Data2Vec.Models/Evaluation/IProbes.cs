namespace Data2Vec.Models.Evaluation;

/// <summary>Linear probes of one data set: the same examples asked of every encoder.</summary>
/// <typeparam name="TFeatures">The features of a modality.</typeparam>
public interface IProbes<in TFeatures>
{
    /// <summary>Names of the probes, in the order of all results.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Probes that this data cannot have, each with the reason.</summary>
    IReadOnlyList<string> LeftOut { get; }

    /// <summary>Every simple baseline; computed at the first call.</summary>
    IReadOnlyList<ProbeBaseline> Baselines { get; }

    /// <summary>Accuracy of every probe on one encoder's features.</summary>
    /// <exception cref="ArgumentException">The features have the wrong size or are not finite.</exception>
    IReadOnlyList<double> Accuracies(TFeatures features);

    /// <summary>The results, beside the majority class and the strongest simple baseline of every probe.</summary>
    /// <param name="random">Accuracies of the untrained encoder.</param>
    /// <param name="pretrained">Accuracies of the trained encoder.</param>
    IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained);
}

/// <summary>One simple baseline of a probe.</summary>
/// <param name="Probe">Name of the probe.</param>
/// <param name="Name">What it looks at.</param>
/// <param name="Accuracy">On the test examples.</param>
public sealed record ProbeBaseline(string Probe, string Name, double Accuracy);

/// <summary>What a probe found. The numbers after the first are accuracies on held-out examples.</summary>
/// <param name="Name">What is asked.</param>
/// <param name="Examples">Test examples.</param>
/// <param name="Majority">The commonest class of the training examples.</param>
/// <param name="SimpleBaseline">The strongest answer without an encoder.</param>
/// <param name="SimpleBaselineName">What that answer looks at.</param>
/// <param name="Random">The probe on the untrained encoder.</param>
/// <param name="Pretrained">The probe on the trained encoder.</param>
public sealed record ProbeResult(
    string Name, int Examples, double Majority, double SimpleBaseline, string SimpleBaselineName, double Random,
    double Pretrained);

namespace Data2Vec.Models.Evaluation;

/// <summary>Features of the examples that a probe is fitted on and tested on, as they come from their source.</summary>
/// <param name="Training">[training examples, Columns], row-major.</param>
/// <param name="Test">[test examples, Columns], row-major.</param>
/// <param name="Columns">Number of features.</param>
internal sealed record ProbeFeatures(float[] Training, float[] Test, int Columns)
{
    /// <summary>Some of the examples.</summary>
    public ProbeFeatures Rows(int[] training, int[] test) =>
        new(Rows(Training, training), Rows(Test, test), Columns);

    /// <summary>Accuracy on the test examples of a regression on all training examples.</summary>
    public double Score(ProbeLabels labels, double freedom) => Score(Training, labels.Training, labels, freedom);

    /// <summary>Mean accuracy of regressions on a few training examples each, others every time.</summary>
    public double FewShot(ProbeLabels labels, int examples, int draws, double freedom) =>
        Enumerable.Range(0, draws).Average(d => Score(
            Training[(d * examples * Columns)..((d + 1) * examples * Columns)],
            labels.Training[(d * examples)..((d + 1) * examples)], labels, freedom));

    private float[] Rows(float[] features, int[] rows)
    {
        var chosen = new float[rows.Length * Columns];
        for (var i = 0; i < rows.Length; i++)
            features.AsSpan(rows[i] * Columns, Columns).CopyTo(chosen.AsSpan(i * Columns));
        return chosen;
    }

    private double Score(float[] rows, int[] own, ProbeLabels labels, double freedom)
    {
        var fitted = DenseFeatures.Standardised(rows, Columns);
        return LogisticRegression
            .Fit(fitted, own, labels.Classes, new LogisticRegressionOptions { Freedom = freedom })
            .Accuracy(fitted.Alike(Test), labels.Test);
    }
}

/// <summary>What a probe asks for.</summary>
/// <param name="Training">Right answers of the training examples.</param>
/// <param name="Test">Right answers of the test examples.</param>
/// <param name="Classes">Number of answers.</param>
internal sealed record ProbeLabels(int[] Training, int[] Test, int Classes)
{
    /// <summary>Accuracy of always giving the commonest answer of the training examples.</summary>
    public double Majority()
    {
        var commonest = Training.CountBy(l => l).OrderByDescending(c => c.Value).ThenBy(c => c.Key).First().Key;
        return Test.Count(l => l == commonest) / (double)Test.Length;
    }
}

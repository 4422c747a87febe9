using Data2Vec.Models.Evaluation;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class LogisticRegressionTests
{
    [Test]
    public void Without_features_the_biases_are_the_log_frequencies()
    {
        int[] labels = [.. Enumerable.Repeat(0, 50), .. Enumerable.Repeat(1, 30), .. Enumerable.Repeat(2, 20)];
        var x = new SparseFeatures([.. labels.Select(_ => Array.Empty<(int, float)>())], 1);
        var probe = LogisticRegression.Fit(x, labels, 3, new() { Tolerance = 1e-7 });
        Assert.That(probe.Biases[0] - probe.Biases[1], Is.EqualTo(Math.Log(5.0 / 3)).Within(1e-5));
        Assert.That(probe.Biases[1] - probe.Biases[2], Is.EqualTo(Math.Log(3.0 / 2)).Within(1e-5));
        Assert.That(probe.Accuracy(x, labels), Is.EqualTo(0.5));
    }

    [Test]
    public void A_two_by_two_table_gives_the_log_odds_ratio()
    {
        // 40, 10 / 15, 35 with next to no penalty: slope difference = log(40 * 35 / (10 * 15)).
        var rows = new List<(int, float)[]>();
        var labels = new List<int>();
        foreach (var (feature, label, count) in new[] { (0, 0, 40), (0, 1, 10), (1, 0, 15), (1, 1, 35) })
            for (var i = 0; i < count; i++)
            {
                rows.Add(feature == 1 ? [(0, 1f)] : []);
                labels.Add(label);
            }
        var probe = LogisticRegression.Fit(
            new SparseFeatures([.. rows], 1), [.. labels], 2, new() { Freedom = 1e9, Tolerance = 1e-7 });
        Assert.That(probe.Weights[1] - probe.Weights[0], Is.EqualTo(Math.Log(40.0 * 35 / (10 * 15))).Within(1e-4));
    }

    [TestCase(2, 7)]
    [TestCase(5, 33)]
    [TestCase(50, 19)]
    public void The_gradient_vanishes_at_the_end_as_an_independent_sum_shows(int classes, int columns)
    {
        var (features, labels) = Clusters(classes, columns, 333, 2.5, 3);
        var x = DenseFeatures.Standardised(features, columns);
        var probe = LogisticRegression.Fit(
            x, labels, classes, new() { Freedom = 0.5, Tolerance = 1e-6, MostIterations = 1000 });
        Assert.That(probe.Gradient, Is.LessThan(5e-6));
        Assert.That(Stationarity(Standardise(features, columns), columns, labels, probe, 0.5), Is.LessThan(2e-5));
    }

    [Test]
    public void Sparse_and_dense_features_give_the_same_probe()
    {
        var (features, labels) = Clusters(4, 9, 200, 1.5, 5);
        var dense = DenseFeatures.Standardised(features, 9);
        var standardised = Standardise(features, 9);
        var sparse = new SparseFeatures(
            [.. Enumerable.Range(0, 200).Select(r => Enumerable.Range(0, 9)
                .Select(j => (j, (float)standardised[r * 9 + j])).ToArray())], 9);
        var options = new LogisticRegressionOptions { Tolerance = 1e-6, MostIterations = 1000 };
        var a = LogisticRegression.Fit(dense, labels, 4, options);
        var b = LogisticRegression.Fit(sparse, labels, 4, options);
        Assert.That(a.Predict(dense), Is.EqualTo(b.Predict(sparse)));
        for (var i = 0; i < a.Weights.Length; i++) Assert.That(a.Weights[i], Is.EqualTo(b.Weights[i]).Within(1e-3));
    }

    [Test]
    public void Separable_classes_are_learnt_and_new_examples_recognised()
    {
        var (features, labels) = Clusters(6, 12, 600, 8, 1);
        var x = DenseFeatures.Standardised(features[..(500 * 12)], 12);
        var probe = LogisticRegression.Fit(x, labels[..500], 6);
        Assert.That(probe.Accuracy(x, labels[..500]), Is.EqualTo(1));
        Assert.That(probe.Accuracy(x.Alike(features[(500 * 12)..]), labels[500..]), Is.GreaterThan(0.97));
        Assert.That(probe.Accuracy(x, [.. labels[..500].Select(l => (l + 1) % 6)]), Is.Zero);
    }

    [Test]
    public void The_same_input_gives_the_same_bits()
    {
        var (features, labels) = Clusters(5, 20, 300, 2, 9);
        float[] Fit() => LogisticRegression.Fit(DenseFeatures.Standardised(features, 20), labels, 5).Weights.ToArray();
        var first = Fit();
        Assert.That(Fit(), Is.EqualTo(first));
    }

    [Test]
    public void A_constant_feature_does_no_harm()
    {
        var (features, labels) = Clusters(3, 4, 90, 8, 2);
        for (var r = 0; r < 90; r++) features[r * 4 + 2] = 1234.5f;
        var x = DenseFeatures.Standardised(features, 4);
        Assert.That(LogisticRegression.Fit(x, labels, 3).Accuracy(x, labels), Is.GreaterThan(0.95));
    }

    [Test]
    public void Wrong_input_is_refused()
    {
        var x = DenseFeatures.Standardised([1, 2, 3, 4], 2);
        Assert.That(() => LogisticRegression.Fit(x, [0], 2), Throws.ArgumentException);
        Assert.That(() => LogisticRegression.Fit(x, [0, 2], 2),
            Throws.ArgumentException.With.Message.Contains("Label 2"));
        Assert.That(() => LogisticRegression.Fit(x, [0, 0], 1), Throws.ArgumentException);
        Assert.That(() => DenseFeatures.Standardised([1, 2, float.NaN, 4], 2),
            Throws.ArgumentException.With.Message.Contains("Feature 0 of example 1"));
        Assert.That(() => DenseFeatures.Standardised([1, 2, 3], 2), Throws.ArgumentException);
        Assert.That(() => new SparseFeatures([[(2, 1f)]], 2), Throws.ArgumentException);
        Assert.That(() => LogisticRegression.Fit(x, [0, 1], 2).Predict(DenseFeatures.Standardised([1, 2], 1)),
            Throws.ArgumentException);
    }

    private static (float[] Features, int[] Labels) Clusters(
        int classes, int columns, int rows, double distance, int seed)
    {
        var random = new Random(seed);
        var centres = Enumerable.Range(0, classes * columns)
            .Select(_ => distance * (random.NextDouble() - 0.5)).ToArray();
        var labels = Enumerable.Range(0, rows).Select(_ => random.Next(classes)).ToArray();
        var features = new float[rows * columns];
        for (var i = 0; i < features.Length; i++)
            features[i] = (float)(centres[labels[i / columns] * columns + i % columns]
                + random.NextDouble() + random.NextDouble() - 1);
        return (features, labels);
    }

    private static double[] Standardise(float[] features, int columns)
    {
        var result = Array.ConvertAll(features, f => (double)f);
        for (var j = 0; j < columns; j++)
        {
            var column = Enumerable.Range(0, features.Length / columns)
                .Select(r => (double)features[r * columns + j]).ToArray();
            var mean = column.Average();
            var deviation = Math.Sqrt(column.Average(v => (v - mean) * (v - mean)));
            for (var r = 0; r < column.Length; r++) result[r * columns + j] = (column[r] - mean) / deviation;
        }
        return result;
    }

    /// <summary>Largest entry of the gradient of mean cross-entropy + penalty, in double, by the formula.</summary>
    private static double Stationarity(double[] x, int columns, int[] labels, LogisticRegression probe, double freedom)
    {
        var classes = probe.Classes;
        var gradient = new double[(columns + 1) * classes];
        for (var r = 0; r < labels.Length; r++)
        {
            var scores = new double[classes];
            for (var c = 0; c < classes; c++)
            {
                scores[c] = probe.Biases[c];
                for (var j = 0; j < columns; j++) scores[c] += x[r * columns + j] * probe.Weights[j * classes + c];
            }
            var total = scores.Sum(Math.Exp);
            for (var c = 0; c < classes; c++)
            {
                var error = (Math.Exp(scores[c]) / total - (labels[r] == c ? 1 : 0)) / labels.Length;
                for (var j = 0; j < columns; j++) gradient[j * classes + c] += x[r * columns + j] * error;
                gradient[columns * classes + c] += error;
            }
        }
        for (var i = 0; i < columns * classes; i++) gradient[i] += probe.Weights[i] / (freedom * labels.Length);
        return gradient.Max(Math.Abs);
    }
}

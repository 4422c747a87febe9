namespace Data2Vec.Models.Evaluation;

/// <summary>How a logistic regression is fitted.</summary>
public sealed record LogisticRegressionOptions
{
    /// <summary>
    /// C of: sum of the cross-entropies + 1/(2 C) * sum of squared weights (biases are free). Larger fits closer.
    /// </summary>
    public double Freedom { get; init; } = 1;

    /// <summary>Stops when no entry of the gradient of the mean cross-entropy objective exceeds this.</summary>
    public double Tolerance { get; init; } = 1e-4;

    /// <summary>Stops after this many steps at the latest.</summary>
    public int MostIterations { get; init; } = 300;
}

/// <summary>Multinomial logistic regression with L2 regularisation: the linear probe on frozen features.</summary>
/// <remarks>
/// p(c | x) = softmax(x W + b)[c]. Fitted by L-BFGS from zero on the calling thread: the same input gives the same
/// bits. Products in float32, sums over blocks of examples and the optimiser in double.
/// </remarks>
public sealed class LogisticRegression
{
    // A multiple of every vector length; the scores of a block stay in the first-level cache.
    private const int Block = 128;

    private readonly float[] weights;
    private readonly float[] biases;
    private readonly int columns;

    private LogisticRegression(double[] point, int columns, int classes)
    {
        this.columns = columns;
        Classes = classes;
        weights = Array.ConvertAll(point[..(columns * classes)], v => (float)v);
        biases = Array.ConvertAll(point[(columns * classes)..], v => (float)v);
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>Steps that the optimiser took.</summary>
    public int Iterations { get; private init; }

    /// <summary>Largest absolute entry of the objective's gradient at the end.</summary>
    public double Gradient { get; private init; }

    /// <summary>Weights, [columns, classes] row-major.</summary>
    public ReadOnlySpan<float> Weights => weights;

    /// <summary>Biases, [classes].</summary>
    public ReadOnlySpan<float> Biases => biases;

    /// <summary>Fits to labelled examples.</summary>
    /// <param name="x">[rows, columns].</param>
    /// <param name="labels">[rows], 0 to classes - 1.</param>
    /// <param name="classes">At least 2.</param>
    /// <param name="options">Regularisation and when to stop.</param>
    /// <exception cref="ArgumentException">Sizes differ, there is no example, or a label is out of range.</exception>
    public static LogisticRegression Fit(
        FeatureMatrix x, int[] labels, int classes, LogisticRegressionOptions? options = null)
    {
        options ??= new LogisticRegressionOptions();
        if (labels.Length != x.Rows || x.Rows == 0 || classes < 2)
            throw new ArgumentException(
                $"Logistic regression needs examples of 2 classes or more, each with a label; got {x.Rows} examples, "
                + $"{labels.Length} labels, {classes} classes.");
        foreach (var label in labels)
            if ((uint)label >= (uint)classes)
                throw new ArgumentException($"Label {label} is out of the range of {classes} classes.");
        var point = new double[(x.Columns + 1) * classes];
        var penalty = 1 / (options.Freedom * x.Rows);
        var end = Lbfgs.Minimise(
            (at, gradient) => Objective(x, labels, classes, penalty, at, gradient), point, options.Tolerance,
            options.MostIterations);
        return new LogisticRegression(point, x.Columns, classes)
        {
            Iterations = end.Iterations,
            Gradient = end.Gradient,
        };
    }

    /// <summary>The most probable class of each example.</summary>
    /// <exception cref="ArgumentException">The examples have another number of features.</exception>
    public int[] Predict(FeatureMatrix x)
    {
        if (x.Columns != columns)
            throw new ArgumentException($"The examples have {x.Columns} features, the probe was fitted to {columns}.");
        var predicted = new int[x.Rows];
        for (var first = 0; first < x.Rows; first += Block)
        {
            var count = Math.Min(Block, x.Rows - first);
            var scores = Scores(x, first, count, weights, biases, Classes);
            for (var r = 0; r < count; r++)
            {
                var row = scores.AsSpan(r * Classes, Classes);
                var best = 0;
                for (var c = 1; c < Classes; c++) if (row[c] > row[best]) best = c;
                predicted[first + r] = best;
            }
        }
        return predicted;
    }

    /// <summary>Share of the examples whose most probable class is their label.</summary>
    /// <exception cref="ArgumentException">Sizes differ or there is no example.</exception>
    public double Accuracy(FeatureMatrix x, int[] labels)
    {
        if (labels.Length != x.Rows || x.Rows == 0)
            throw new ArgumentException($"Accuracy needs a label for each example; got {x.Rows} and {labels.Length}.");
        return Predict(x).Zip(labels).Count(p => p.First == p.Second) / (double)labels.Length;
    }

    private static float[] Scores(FeatureMatrix x, int first, int count, float[] weights, float[] biases, int classes)
    {
        var scores = new float[count * classes];
        for (var r = 0; r < count; r++) biases.CopyTo(scores, r * classes);
        x.Multiply(first, count, weights, classes, scores);
        return scores;
    }

    private static double Objective(
        FeatureMatrix x, int[] labels, int classes, double penalty, double[] point, double[] gradient)
    {
        var size = x.Columns * classes;
        var weights = Array.ConvertAll(point[..size], v => (float)v);
        var biases = Array.ConvertAll(point[size..], v => (float)v);
        var part = new float[size];
        var loss = 0.0;
        Array.Clear(gradient);
        for (var first = 0; first < x.Rows; first += Block)
        {
            var count = Math.Min(Block, x.Rows - first);
            var scores = Scores(x, first, count, weights, biases, classes);
            for (var r = 0; r < count; r++)
            {
                var row = scores.AsSpan(r * classes, classes);
                loss += CrossEntropy(row, labels[first + r]);
                for (var c = 0; c < classes; c++) gradient[size + c] += row[c];
            }
            x.MultiplyTransposed(first, count, scores, classes, part);
        }
        for (var i = 0; i < size; i++)
        {
            gradient[i] = part[i] / x.Rows + penalty * point[i];
            loss += 0.5 * penalty * x.Rows * point[i] * point[i];
        }
        for (var c = 0; c < classes; c++) gradient[size + c] /= x.Rows;
        return loss / x.Rows;
    }

    /// <summary>-log softmax(row)[label]; turns the row into its derivative.</summary>
    private static double CrossEntropy(Span<float> row, int label)
    {
        var largest = row[0];
        foreach (var score in row) largest = Math.Max(largest, score);
        var own = (double)row[label] - largest;
        var sum = 0.0;
        foreach (ref var score in row)
        {
            score = MathF.Exp(score - largest);
            sum += score;
        }
        var scale = (float)(1 / sum);
        foreach (ref var score in row) score *= scale;
        row[label] -= 1;
        return Math.Log(sum) - own;
    }
}

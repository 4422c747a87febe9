namespace Data2Vec.Models.Evaluation;

/// <summary>The frozen features of a text encoder, as linear probes read them. Dropout is off.</summary>
public interface ITextFeatures
{
    /// <summary>Width of one layer's output.</summary>
    int Width { get; }

    /// <summary>Number of layers, at least two.</summary>
    int Layers { get; }

    /// <summary>Mean of the last two layers' outputs at one position of each sequence.</summary>
    /// <param name="sequences">Token ids with <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>, of different lengths.</param>
    /// <param name="positions">One index into each sequence.</param>
    /// <returns>[sequences, Width], row-major.</returns>
    float[] AtPositions(IReadOnlyList<int[]> sequences, IReadOnlyList<int> positions);

    /// <summary>Each layer's output averaged over all tokens of a sequence.</summary>
    /// <param name="sequences">Token ids with <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>, of different lengths.</param>
    /// <returns>[sequences, Layers, Width], row-major, first layer first.</returns>
    float[] MeanPooled(IReadOnlyList<int[]> sequences);
}

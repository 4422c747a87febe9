using System.Globalization;

namespace Data2Vec.Models;

/// <summary>
/// Learning rates of fine-tuning that fall from the head down: parameters of layer l get decay^(L + 1 - l), with the
/// embeddings as layer 0, encoder layer i as i + 1, and whatever serves all layers or follows them as L + 1. Source:
/// Clark et al. 2020 (ELECTRA); data2vec_vision af9a363, optim_factory.py.
/// </summary>
public static class LayerDecay
{
    private const string Layers = "encoder.layer.", Embeddings = "embeddings.";

    /// <summary>The layer that a parameter counts as.</summary>
    /// <param name="parameter">Its name.</param>
    /// <param name="layers">Encoder layers L.</param>
    public static int LayerOf(string parameter, int layers)
    {
        if (parameter.StartsWith(Embeddings, StringComparison.Ordinal)) return 0;
        if (!parameter.StartsWith(Layers, StringComparison.Ordinal)) return layers + 1;
        var number = parameter.AsSpan(Layers.Length);
        return int.Parse(number[..number.IndexOf('.')], CultureInfo.InvariantCulture) + 1;
    }

    /// <summary>Factor on the learning rate of a parameter.</summary>
    /// <param name="parameter">Its name.</param>
    /// <param name="layers">Encoder layers L.</param>
    /// <param name="decay">Factor from layer to layer; 1 = one rate for all.</param>
    public static double Scale(string parameter, int layers, double decay) =>
        Math.Pow(decay, layers + 1 - LayerOf(parameter, layers));
}

"""What else people call the concepts of land, life, sky, water and fire; ``words.py`` reads it."""

from __future__ import annotations

NATURE = {
    "mountains": """
        a mountain, peaks, hills in the distance, the rocky mountains, the andes, mount everest, a snow capped
        peak, rugged highlands, a high pass, cliffs above the clouds, a steep rocky slope, the matterhorn, mount
        fuji, the dolomites, the scottish highlands, patagonia, ridges fading into haze, a valley between high
        peaks, ridge behind ridge, climbing to the summit, hiking in the hills, a mountaineer's view, a peak at
        daybreak, a panorama of summits, sierra nevada, massive crags, a range of giants, a chain of peaks,
        swiss scenery, a ski resort backdrop, snow on the tops, a towering massif, something you climb,
        foothills, a rocky landscape, the view from a summit, an epic fantasy landscape, a crag""",
    "sand dunes": """
        a dune, the gobi, namibia, the arabian desert, an endless sea of sand, a sandy wasteland, dry and barren
        land, a caravan route, dunes shaped by wind, wind blown sand, a sandy ridge, arrakis, a desert planet,
        death valley, the empty quarter, mojave, an arid landscape, a scorched dry plain, ripples left by the
        wind, walking through hot sand, a mirage in the heat, the land without water, camels would walk here,
        egyptian sands, morocco, crests of sand, a beach without water, sandy slopes, curved ridges of sand,
        soft sandy hills, a thirsty place, a parched land, desolate dunes, sandstorm country, where nothing
        grows, an oasis is far away, a wide sandy plain, the dune sea, waves of sand, a hot wasteland""",
    "forest": """
        a tree, a jungle of tree trunks, tree trunks, pines, a pine forest, conifers, spruce trees, birch trees,
        the black forest, the redwoods, a rainforest, taiga, a fairy tale wood, an enchanted forest, a haunted
        wood, a walk in the woods, sunlight between the trunks, a path between trees, silhouettes of trees, a
        misty wood at dawn, a wooded valley, evergreens, the canopy overhead, where the wolves live, the amazon,
        bare trees in autumn, lost among the trees, a thicket, a clearing among trees, old growth, an ancient
        grove, bark and branches, branches, the trunks of giants, a wild wood, scandinavian woods, a stand of
        timber trees, treetops""",
    "falling snow": """
        snowing, a snowfall, a snowy night, a snowy landscape, a white christmas, christmas eve, a snow globe, a
        flurry, snow flurries, a whiteout, siberia, lapland, the north pole, a cold january day, flakes in the
        wind, snow in the air, hills covered with snow, a wintry scene, powder snow, the first snow, a quiet
        winter evening, winter is coming, weather for skiing, let it snow, a freezing winter storm, the snow
        queen, a snow covered field, a winter wonderland, sledging weather, swirling snow, heavy snow, snowy
        weather, snow over the hills at night, a frosty winter morning, an alpine winter, snow drifting past a
        streetlight, a cold white silence, the ice queen's weather, snowy hills, something soft that falls in
        winter""",
    "canyon": """
        a gorge, a ravine, cliffs, red sandstone, utah, arizona, monument valley, bryce, antelope canyon, zion,
        petra, the badlands, a rock face, layers of sediment, sedimentary layers, layers of ancient rock,
        weathered rock, a rocky desert cliff, the wild west, a western movie landscape, a mesa, buttes, a dry
        gulch, the surface of mars, geological layers, geology, banded cliffs, rocks carved by a river, ochre
        rock, the australian outback, a wall of red rock, a deep cut in the earth, sunlit rock, a rocky gorge,
        stone folded by time, rock formations, clay cliffs, a quarry face""",
    "grass": """
        a grassy field, grassland, pasture, a savanna, the steppe, a hayfield, a field in spring, reeds, wheat,
        a wheat field, a barley field, stalks in the breeze, blades swaying in the wind, lying in the grass, a
        summer meadow, a garden after mowing, turf, a football pitch, a golf course, a park in summer, a picnic
        spot, an ant's view, dew on the blades, something cows eat, where cows graze, irish fields, a rice
        paddy, bamboo shoots, sprouting seedlings, young shoots, a rolling pasture, rushes, weeds by the road,
        wild grasses, straw, the grassy bank of a river, a springtime field, sedge""",
    "flowers": """
        a rose in bloom, a sunflower, sunflowers, orchids, an orchid, lilies, a water lily, a lotus, poppies, a
        poppy field, peonies, dahlias, lavender, cherry blossom, sakura, a bloom, blooms, a bed of blooms,
        wildflowers, a florist's shop, a bunch of roses, flower power, an opening bud, something bees visit,
        spring in full bloom, a botanical garden, a wedding bouquet, chrysanthemums, marigolds, hibiscus, a
        hawaiian garland, stamens and pollen, a valentine's gift, a floral pattern, flora, a petal, geraniums on
        the balcony, violets, a magnolia, a flower bed, something with petals""",
    "leaves": """
        autumn leaves, fallen leaves, ferns, palm leaves, a palm frond, ivy, maple leaves, oak leaves, dense
        jungle, a tropical plant, house plants, vegetation, a green plant, plants, an eucalyptus twig, monstera,
        banana leaves, a hedge, a bush, shrubs, undergrowth, a leafy wallpaper, veins of a leaf, something that
        photosynthesises, leaves in the fall, october colours, a pile of leaves, a laurel, tea leaves, mint,
        basil, salad, a cannabis leaf, lush plants, a greenhouse, leafy branches, vines, climbing plants, a
        vine, the tropics""",
    "feathers": """
        a plume, plumes, a peacock, a peacock's tail, a bird's wing, wings, angel wings, a parrot, parrot
        feathers, a swan, an owl's plumage, an eagle's feather, a quill, a quill pen, ostrich plumes, a feather
        boa, a carnival headdress, a showgirl's fan, a raven's wing, birds, a pheasant, exotic bird plumes,
        something light that birds wear, flamingo feathers, a pillow fight, soft fluffy plumes, barbs and vanes,
        a hummingbird, the fan of a peacock, a turkey, a rooster's tail, icarus, a dreamcatcher, feathers
        floating down, a cockatoo, fluff of a chick, a nest lining, a pigeon""",
    "coral": """
        corals, the great barrier reef, an anemone, polyps, a labyrinth, a labyrinth of ridges, winding grooves,
        brain folds, a brain, wrinkles of a brain, convolutions, meandering ridges, a sponge, sea sponges,
        walnut wrinkles, zebrafish skin, animal markings, morphogenesis, a turing pattern, wormlike patterns, a
        fingerprint, squiggly labyrinths, gray scott patterns, organic mazes, a growth of tropical reefs, sea
        fans, staghorn coral, a living reef, branching corals, atoll life, a marine growth, something that grows
        on reefs, bumpy organic folds, intestines, a wormy texture, a puffer fish pattern, winding coral ridges,
        ridges like a brain, patterns on a fish's skin, a maze like growth""",
    "cells": """
        a cell, bacteria, a bacterium, a microscope slide, under the microscope, microscopic life, biology,
        microbiology, blood cells, plant cells, skin cells, neurons, embryo cells, a stained tissue section,
        histology, onion skin magnified, mitosis, cells dividing, a nucleus, nuclei and membranes, membranes,
        plankton, single celled life, a virus culture, germs, protozoa, algae under a lens, frogspawn, fish
        eggs, a laboratory culture, a biopsy, organisms too small to see, living tissue, cytoplasm, yeast, the
        smallest units of life, biological blobs with cores, stem cells, round cells with a nucleus, life under
        a lens""",
    "jellyfish": """
        a jelly, jellies, moon jellies, a man o' war, a portuguese man of war, a box jellyfish, a jellyfish
        tank, floating jellyfish, a stinging sea animal, a transparent sea animal, bells with trailing threads,
        a bioluminescent animal, a luminous deep sea animal, an alien creature in the water, something that
        stings swimmers, a pulsing bell in dark water, a gelatinous animal, glowing umbrellas in water, an
        aquarium at night, ghosts of the sea, cnidarians, a lion's mane jelly, a swarm of jellies, a comb jelly,
        an octopus, a squid, a cuttlefish, sea nettles, a translucent swimmer, a creature of the abyss, a
        floating sea ghost, a siphonophore, glowing marine animals, a drifting glowing bell, an umbrella shaped
        sea animal, a floating creature with long threads, soft glowing bodies in the sea, a jelly floating in
        the dark, a swimming bell""",
    "eye": """
        eyes, a human eye, a cat's eye, a dragon's eye, a reptile eye, the eye of sauron, big brother is
        watching, being watched, a stare, a gaze, looking into your eyes, eyelids, eyelashes, an eyelid opening,
        an iris with fine fibres, a dilated pupil, the evil eye, the all seeing eye, vision, sight, an
        optician's poster, a retina, a snake's eye, a lizard watching, an owl's eye, something that sees,
        something that watches you, blinking, a wink, an intense look, contact lenses, mascara, the window of
        the soul, a watcher, an observer, the eye of a tiger, peeping, horus""",
    "face": """
        a woman, a girl, a boy, a person, people, somebody, a human, a human being, a stranger, a self portrait,
        a selfie, a passport photo, a bust, a statue's head, a mona lisa, a smile, a singer, an actor, a
        celebrity, a queen, a king, a ghostly visage, a visage, a mannequin, an android, a robot's face, a
        theatre mask, a venetian mask, someone staring, a lady with long hair, an old man, a child, cheeks nose
        and mouth, someone looking back, a mugshot, a profile picture, a head and shoulders shot, a skull""",
    "ice": """
        an icy lake surface, an iceberg, icebergs, an ice cave, an ice rink, a skating rink, pack ice, sea ice,
        greenland, ice cubes, an ice cube, a frozen pond, a frozen river, a frozen sea, lake baikal, frosty
        glass, frost on a window, ice crystals, hoarfrost, rime, permafrost, a slippery surface, ice floes,
        cracks in the ice, something frozen, something cold and brittle, below zero, the inside of a freezer,
        ice fishing, a slab of ice, freezing cold, a hard frost, black ice, an ice age, an icy wall, the frozen
        north, a fractured frozen surface, a sheet of ice, thin ice, winter on the lake""",
    "clouds": """
        a cloud, a summer sky, a cotton wool sky, cotton candy clouds, cirrus, stratus, cumulonimbus, storm
        clouds gathering, a dramatic sky, heaven, above the clouds, a view from an airplane window, cloud nine,
        flying through clouds, a cloudscape, rain clouds, clouds drifting by, fluffy clouds, fleecy clouds, a
        sky before rain, airy billows, daydreaming at the sky, a cloudbank, clouds over the plain, a sky for
        angels, puffy clouds, wind in the sky, thick clouds, a weather front, sheep in the sky, a breezy
        afternoon sky, something you see when looking up, broken clouds, a pastel sky, a sky with drifting
        shapes, clouds lit from above, a windy sky, heaped up clouds, skies, a big open sky, clouds at noon,
        cloud shapes""",
    "sunset": """
        a setting sun, the rising sun, daybreak, dawn, twilight, golden hour, magic hour, the last light of day,
        first light, sundown, sunup, a glowing horizon, a burning sky, an evening by the sea, a tropical
        evening, the sun over the water, the sun on the horizon, a fiery sky, morning glow, afterglow, an ibiza
        sunset, the sun dipping into the sea, day turning into night, a low sun, early morning, late evening, a
        romantic evening, the land of the rising sun, sunlight over the hills, a sunny morning, daylight fading,
        when the day begins, a summer evening, a hot sun, a sun disc, sun rays""",
    "starry night": """
        a star, a starry sky, a starlit sky, starlight, the night sky, twinkling stars, a thousand stars, a
        million tiny lights above, orion, the big dipper, the southern cross, the zodiac, a planetarium,
        stargazing, an astronomer's view, a star map, the firmament, a sky far from the city, shooting stars, a
        meteor shower, a falling star, the perseids, camping under the stars, a moonless night, a band of stars,
        sparkling points in the dark, stardust overhead, wishing upon a star, a desert night sky, the heavens at
        night, a glittering sky, the pole star, sirius, the pleiades, polaris, astronomy, tiny lights in
        blackness""",
    "galaxy": """
        galaxies, space, outer space, a supernova, the big bang, the orion nebula, the crab nebula, the pillars
        of creation, hubble photograph, james webb telescope, interstellar gas, a quasar, a black hole, an
        accretion disc, spiral arms of stars, a star nursery, the birth of stars, astrophysics, star trek, a
        space opera, a far away galaxy, intergalactic travel, gas and dust in space, the magellanic clouds, a
        cosmic cloud, cosmic, a stellar nursery, infinity and beyond, light years away, a space odyssey, the
        great void, a nebula full of colour, dark matter, a whirlpool of stars, a universe being born, an island
        universe, sagittarius""",
    "aurora": """
        auroras, southern lights, aurora australis, polar glow, magnetic lights, the arctic sky, dancing lights
        in the sky, lights over iceland, a night in norway, tromso, a lapland night, lights over alaska, a solar
        storm, solar wind, veils of light, waving ribbons in the night sky, glowing ribbons above the horizon, a
        shimmering night sky, charged particles, rays fading upwards, ghostly lights of the north, an arctic
        night, a polar night, a finnish winter night, nordic lights, heavenly drapes, the sky over the pole,
        valkyries riding, a magnetosphere, sky ribbons, glowing drapery in the sky, light dancing above the
        tundra, a geomagnetic storm, folds of light in the night, a celestial veil, polar fire, a sky on fire
        over reykjavik, magic in the polar sky""",
    "moon": """
        moonlight, a moonrise, luna, a half moon, a new moon, a harvest moon, a blood moon, a supermoon, a
        waxing moon, a gibbous moon, a cratered ball, craters, lunar craters, the lunar surface, the sea of
        tranquility, the apollo landing, a lonely globe, a globe in the dark, a planet in space, jupiter,
        saturn, venus, neptune, pluto, the death star, an asteroid, a sphere in the night, werewolf night, a
        lunar eclipse, an eclipse, a silver disc at night, the night's lantern, selene, what wolves howl at, the
        tides' master, a heavenly body, earth from space, a globe, an exoplanet, a round stone in the sky""",
    "ocean waves": """
        waves crashing on rocks, waves, a wave, a big wave, a breaking wave, a tsunami, surf on the shore,
        surfing, a surfer's dream, the atlantic, the mediterranean, the baltic, the north sea, the caribbean,
        the seaside, a beach with waves, the shore, the tide coming in, high tide, open water, a lake, a lagoon,
        a bay, a rough sea, a calm sea, whitecaps, sea foam, sailing on the sea, a sailor's view, the seven
        seas, water seen from above, a storm at sea, choppy water, a cold northern sea, moby dick, neptune's
        realm, lapping water, the view from a ship, hokusai, the coast""",
    "underwater": """
        below the sea, scuba diving, a scuba diver's view, snorkelling, a dive, in the deep blue, the abyss, a
        submarine view, sunken, sunken atlantis, atlantis, an aquarium, a fish tank, the seabed, the sea floor,
        the ocean floor, swimming under the surface, caustics, light dancing under water, shafts of light in
        water, rays through deep water, a swimming pool from below, the pool floor, drowning, mermaid country,
        the mariana trench, a whale's world, where fish live, sinking down, a marine world, submerged, an
        underwater cave, a cenote, twenty thousand leagues down, holding your breath, looking up at the surface,
        subaquatic""",
    "waterfall": """
        waterfalls, falls, a cascade, cascades, a cataract, rapids, a torrent, a mountain stream, a stream over
        stones, victoria falls, angel falls, iguazu, gullfoss, an icelandic fall, white water, rushing water, a
        rushing river, water pouring down, water tumbling over rocks, spray and mist, mist at the foot, a wet
        cliff, a gushing spring, a fountain, a weir, a dam overflowing, a plunge pool, a river falling, roaring
        water, something that pours endlessly, a jungle fall, a hidden fall, a veil of water, a brook,
        whitewater, a curtain of water, water over a ledge, water falling between dark rocks, a tall fall in the
        mountains, thundering water""",
    "rain on glass": """
        rain, raindrops, raining, a rainy day, a rainy night, drizzle, a shower of rain, a downpour seen from
        inside, water drops, drops, beads of water, condensation, dew, dew drops, wet glass, a car window in the
        rain, a taxi in the rain, november, monsoon, london in the rain, a rainy city seen through glass, a
        window on a rainy evening, drops running down, drops sliding down glass, looking out at the rain,
        melancholy weather, a steamed up window, a shower door, a fogged up window, moist glass, tears on a
        window, a bus window, pouring rain, water running down a pane, blade runner rain, a cafe window in a
        storm, bad weather, a window after rain, glass covered in drops""",
    "bubbles": """
        a bubble, a soap bubble, soap, soap film, lather, suds, soapy water, foam on beer, fizz, sparkling
        water, champagne, soda, carbonated water, a fizzy drink, a bubble machine, blowing bubbles, a child's
        bubbles, transparent balls, glassy orbs, orbs, floating orbs, hollow shells of soap, a washing up bowl,
        detergent, thin rainbow shells, shiny floating balls, balloons, air rising in water, something that
        pops, about to pop, round and weightless, iridescent globes, glass balls, boiling water, effervescence,
        foamy shampoo, prosecco, big and small bubbles, a soap bubble drifting by, bubbles in a glass""",
    "fire": """
        a flame, candle flames, a candle, a torch, a burning torch, a roaring furnace, a furnace, a fireplace, a
        log fire, a pyre, a burning house, a forest burning, combustion, arson, a dragon's breath, hell, the
        gates of hell, hellfire, a gas burner, a match being struck, flickering tongues, tongues of flame,
        something hot that flickers, an explosion, a fireball, a burning man, blazing heat, a conflagration,
        flaring gas, a phoenix, ignition, scorching heat, a stove, a burning torch at night, lighter flame, the
        heat of battle, petrol burning, fire dancing, a barbecue in flames""",
    "embers": """
        coals, coal, hot coals, burning coal, live coals, a barbecue grill, ash and sparks, ashes, cinders,
        cinder, a dying fire, the remains of a fire, a fire burning out, a fire pit at midnight, a fire gone
        low, glowing lumps, a smouldering heap, red hot coals, sparks flying up, a forge, a blacksmith's forge,
        a coal stove, slag glowing in the dark, glowing cracks in black lumps, burnt logs still glowing,
        incandescent coals, fire walking, walking on hot coals, a burnt out log, a peat fire, fading heat, warm
        ashes, a cigar tip, smouldering wood, residual heat, what is left after a bonfire, a heap of hot lumps,
        crackling sparks""",
    "lava": """
        a volcano, volcanoes, an eruption, a volcanic eruption, etna, vesuvius, stromboli, kilauea, hawaii's
        volcano, krakatoa, pompeii, mount doom, mordor, a lava lake, a lava stream, a river of fire, rivers of
        molten stone, a crater, inside a volcano, basalt cooling, a cooling crust, cracked crust over melt,
        molten earth, the earth's core, the mantle, plate tectonics, volcanic, igneous rock, pyroclastic flow,
        hot flowing rock, melting rock, rock so hot it flows, the floor is lava, a fissure glowing, obsidian
        being born, a hellish river, tectonic plates, glowing magma, primordial earth""",
    "smoke": """
        fumes, vapour, incense, incense smoke, a cigarette's smoke, cigarette smoke, a smoking chimney,
        a chimney, a smoke machine, dry ice on stage, haze, a hazy morning, a foggy street, san francisco fog,
        drifting fog, thick fog, a bank of mist, wisps, wispy trails, ghostly wisps, a ghost, ghosts, a spectre,
        exhaust, smog, a genie from the lamp, a vape cloud, something gaseous, breath in cold air, clouds of
        dust, dust, a blown out candle, swirls of smoke, hookah, a mysterious haze, gas drifting, ectoplasm, a
        foggy moor, a smoke ring""",
    "lightning": """
        a flash of lightning, a thunderbolt, thunder, a flash in the sky, forked lightning, electricity, an
        electric arc, a tesla coil, high voltage, a plasma ball, zeus, thor, thor's hammer, a storm at night, a
        tempest, a summer storm, stormy weather, a stormy night, struck by lightning, a lightning strike, a sky
        split open, discharge, sparks of electricity, an electric shock, jagged flashes, branching flashes, a
        hurricane, a cyclone, storm chasers, dark clouds and flashes, frankenstein's laboratory, power surge,
        electric energy, angry gods, a supercell, static discharge, a storm front, lightning over the plains,
        flashes between clouds""",
}
